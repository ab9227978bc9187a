// Package exact reads JSON as what it says.
//
// encoding/json takes U+FFFD for bytes that are no UTF-8 and for half of a surrogate pair,
// so that a model would see another text than was sent; and 16.0 is no integer to it. Which
// fields there are, and what they mean, is for who reads them.
//
// Invariant: in a text that passes, a string has U+FFFD only where it is written, and no
// number is read as another.
package exact

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	// ErrUTF8 means that there are bytes that are no UTF-8.
	ErrUTF8 = errors.New("not UTF-8")
	// ErrSurrogate means that half of a pair is escaped without the other half (RFC 8259,
	// section 8.2).
	ErrSurrogate = errors.New(`half of a surrogate pair (\ud800 to \udfff alone)`)
)

// Text refuses JSON that would be read as another text.
func Text(raw []byte) error {
	switch {
	case !utf8.Valid(raw):
		return ErrUTF8
	case halfPair(raw):
		return ErrSurrogate
	}
	return nil
}

// halfPair looks for an escaped UTF-16 surrogate without its other half.
func halfPair(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+2 > len(raw) {
			return false
		}
		r := escaped(raw[i:])
		raw = raw[i+2:]
		if !utf16.IsSurrogate(r) {
			continue
		}
		raw = raw[4:]
		if utf16.DecodeRune(r, escaped(raw)) == utf8.RuneError {
			return true
		}
		raw = raw[6:]
	}
}

// escaped reads what \uXXXX at the beginning stands for, -1 if nothing of the kind is there.
func escaped(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

// Field decodes a field's value into dst. An integer may be written as 16.0 or 1e3: to JSON
// they are the same numbers. If the value is of another type, wanted names dst's.
func Field(raw json.RawMessage, dst any) (wanted string, ok bool) {
	if json.Unmarshal(raw, dst) == nil {
		return "", true
	}
	switch dst := dst.(type) {
	case *bool:
		return "true or false", false
	case *string:
		return "a string", false
	case *int64:
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 { // beyond, floats leave integers out
			return "an integer of 64 bits", false
		}
		*dst = int64(v)
		return "", true
	case *float64:
		return "a number", false
	case *[]json.RawMessage:
		return "a list", false
	}
	return "an object", false
}
