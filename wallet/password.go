package wallet

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNoPassword is returned for an encrypted file whose password nobody knows.
var ErrNoPassword = errors.New("encrypted, and no password was given")

// Password is text that prints as [secret].
type Password []byte

// Format hides the text from every verb.
func (Password) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// LogValue hides the text.
func (Password) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the text from JSON.
func (Password) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Passwords returns what may open a file, in the order in which to try; none if it
// knows nothing. The caller clears them.
type Passwords func(file string) ([]Password, error)

// FirstOf asks one source after the other until one knows something.
func FirstOf(sources ...Passwords) Passwords {
	return func(file string) ([]Password, error) {
		for _, s := range sources {
			if found, err := s(file); err != nil || len(found) > 0 {
				return found, err
			}
		}
		return nil, nil
	}
}

// FromFile reads the password for any key from the first line of a file that nobody
// else may read.
func FromFile(path string) Passwords {
	return func(string) ([]Password, error) {
		data, err := ReadSecretFile(path)
		if err != nil {
			return nil, fmt.Errorf("read password: %w", err)
		}
		defer clear(data)
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 || len(bytes.TrimSpace(rest)) > 0 {
			return nil, fmt.Errorf("read password: %s: want one line", path)
		}
		return []Password{bytes.Clone(line)}, nil
	}
}

// FromEnvironment looks for the variables of [Variables]. Bittensor stores a
// password there in a disguise, base64 over the bytes xored with the variable's
// name; people write it plainly. A value that can be the first is tried as that.
func FromEnvironment(lookup func(string) (string, bool)) Passwords {
	return func(file string) ([]Password, error) {
		for _, name := range Variables(file) {
			value, ok := lookup(name)
			if !ok || value == "" {
				continue
			}
			if p, ok := undisguise(name, value); ok {
				return []Password{p, Password(value)}, nil
			}
			return []Password{Password(value)}, nil
		}
		return nil, nil
	}
}

func undisguise(name, value string) (Password, bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) == 0 {
		return nil, false
	}
	for i := range raw {
		raw[i] ^= name[i%len(name)]
	}
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	return raw, utf8.Valid(raw) && !bytes.ContainsFunc(raw, hidden)
}

// Variables returns the environment variables that may hold the password of a key
// file: BT_PW_ and the path in capitals with / and . replaced by _. Bittensor
// leaves other characters, though no shell can export such a name, so the last
// ones have _ for all of them.
func Variables(file string) []string {
	paths := []string{file, filepath.Clean(file)}
	if absolute, err := filepath.Abs(file); err == nil {
		paths = append(paths, absolute)
	}
	var out []string
	for _, p := range paths {
		out = append(out, "BT_PW_"+strings.ToUpper(strings.NewReplacer("/", "_", ".", "_").Replace(p)))
	}
	for _, name := range slices.Clone(out) {
		out = append(out, strings.Map(func(r rune) rune {
			if r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' {
				return r
			}
			return '_'
		}, name))
	}
	return slices.Compact(out)
}
