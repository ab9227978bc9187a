package prover

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"targon"
	"targon/filelock"
)

var (
	// ErrState is the root of every reason why a prover's state cannot be used.
	ErrState = errors.New("prover state unusable")
	// ErrInUse says that another process holds the state: two provers that write one
	// file would damage it.
	ErrInUse = errors.New("in use by another prover: give each its own folder")
)

const (
	stateName   = "callers.log"
	stateLabel  = "targon/callers/v1"
	stateHeader = stateLabel + "\n"
	stateLine   = 64 + 1 + 8 + 1 // hotkey, blank, CRC-32C, LF
	// maxCallers bounds the file (4.8 MB). Beyond it, nobody is believed to be new:
	// the plain form is refused to all, which is the safe side.
	maxCallers = 1 << 16
)

// State is what a prover must not forget: who has sent the bound form. That its
// file exists says that the prover has run before, so it is the mark for the rule
// after a restart as well.
//
// The file is a header line and one line for each caller: 64 hex digits of the
// hotkey, a blank, 8 hex digits of the CRC-32C of the digits before. A line is
// synced before it counts; a torn last line is what a crash leaves, and is cut off.
type State struct {
	restarted bool

	mu    sync.RWMutex
	file  *os.File
	known map[targon.Hotkey]struct{}
}

// OpenState reads, or begins, the state in dir, which it makes if need be.
func OpenState(dir string) (*State, error) {
	s, err := openState(dir)
	if err != nil {
		return nil, fmt.Errorf("open state in %s: %w", dir, err)
	}
	return s, nil
}

func openState(dir string) (*State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, stateName)
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &State{restarted: !fresh, file: f, known: map[targon.Hotkey]struct{}{}}
	if err = filelock.Take(f); errors.Is(err, filelock.ErrHeld) {
		err = ErrInUse
	}
	if err == nil {
		err = errors.Join(s.load(), syncDir(dir))
	}
	if err != nil {
		_ = f.Close() // the error that counts is the first
		return nil, err
	}
	return s, nil
}

// load reads the file and leaves it ending in a whole line, durably.
func (s *State) load() error {
	raw, err := io.ReadAll(io.LimitReader(s.file, int64(len(stateHeader))+(maxCallers+1)*stateLine))
	if err != nil {
		return err
	}
	rest, ok := bytes.CutPrefix(raw, []byte(stateHeader))
	if !ok {
		// A crash may have left part of the header, but nothing else.
		if !bytes.HasPrefix([]byte(stateHeader), raw) {
			return fmt.Errorf("%w: %s is not a list of callers: restore a copy, or remove it to begin anew", ErrState, stateName)
		}
		return s.rewrite([]byte(stateHeader), 0)
	}
	for n := 1; len(rest) > 0; n++ {
		if len(rest) < stateLine {
			return s.rewrite(nil, int64(len(raw)-len(rest)))
		}
		h, ok := parseLine(rest[:stateLine])
		if !ok && len(rest) == stateLine {
			return s.rewrite(nil, int64(len(raw)-len(rest)))
		}
		if !ok {
			return fmt.Errorf("%w: line %d of %s is damaged: restore a copy, or remove it to begin anew", ErrState, n+1, stateName)
		}
		s.known[h] = struct{}{}
		rest = rest[stateLine:]
	}
	_, err = s.file.Seek(0, io.SeekEnd)
	return err
}

// rewrite cuts the file to size and appends.
func (s *State) rewrite(add []byte, size int64) error {
	if err := s.file.Truncate(size); err != nil {
		return err
	}
	if _, err := s.file.Seek(size, io.SeekStart); err != nil {
		return err
	}
	if _, err := s.file.Write(add); err != nil {
		return err
	}
	return s.file.Sync()
}

func formatLine(h targon.Hotkey) []byte {
	line := hex.AppendEncode(make([]byte, 0, stateLine), h[:])
	sum := crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli))
	return fmt.Appendf(line, " %08x\n", sum)
}

func parseLine(line []byte) (targon.Hotkey, bool) {
	var h targon.Hotkey
	if _, err := hex.Decode(h[:], line[:64]); err != nil {
		return h, false
	}
	return h, bytes.Equal(formatLine(h), line)
}

// Restarted reports whether an earlier run used this state.
func (s *State) Restarted() bool { return s.restarted }

// Bound reports whether h has ever sent the bound form.
func (s *State) Bound(h targon.Hotkey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.known[h]
	return ok || len(s.known) >= maxCallers
}

// MarkBound remembers h, durably before it returns nil. After a failed write the
// file may end in part of a line, so nothing more is written until it is opened
// anew.
func (s *State) MarkBound(h targon.Hotkey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.known[h]; ok || len(s.known) >= maxCallers {
		return nil
	}
	if s.file == nil {
		return fmt.Errorf("%w: closed", ErrState)
	}
	_, err := s.file.Write(formatLine(h))
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		_ = s.file.Close() // its content is not known any more
		s.file = nil
		return fmt.Errorf("%w: remember caller: %w", ErrState, err)
	}
	s.known[h] = struct{}{}
	return nil
}

// Close lets go of the file.
func (s *State) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// syncDir makes the file's name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
