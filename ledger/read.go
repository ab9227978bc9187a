package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"targon"
)

// Read yields the entries of the ledger at path without opening it for writing: it
// changes nothing, holds no lock, and so reads also a ledger that a verifier is writing
// to, or a copy that belongs to somebody else. It ends where the intact frames end: what
// a writer has not finished yet, and what a crash has torn, is not there. Damage with
// intact frames behind it is [ErrDamaged].
func Read(ctx context.Context, path string) iter.Seq2[targon.Entry, error] {
	return func(yield func(targon.Entry, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("read ledger: %w", err))
			return
		}
		defer func() { _ = file.Close() }()
		if err := read(ctx, file, path, yield); err != nil {
			yield(nil, fmt.Errorf("read ledger %s: %w", path, err))
		}
	}
}

// read yields what is intact; the errors of single entries go to yield as well.
func read(ctx context.Context, file *os.File, path string, yield func(targon.Entry, error) bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	head := make([]byte, headerLen)
	if _, err := io.ReadFull(io.NewSectionReader(file, 0, headerLen), head); err != nil {
		return fmt.Errorf("%w: does not begin like a ledger", ErrDamaged)
	}
	if err := checkHeader(head); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s := newScanner(file, info.Size())
	for {
		payload, err := s.next()
		switch {
		case errors.Is(err, io.EOF) && s.offset == s.end:
			return nil
		case errors.Is(err, errFrame):
			next, err := findIntact(file, s.offset, s.end, s.sequence)
			if err == nil && next >= 0 {
				err = fmt.Errorf("%w at byte %d, with an intact frame at byte %d", ErrDamaged, s.offset, next)
			}
			return err
		case err != nil:
			return err
		}
		if !yieldFrame(ctx, payload, yield) {
			return nil
		}
	}
}
