// Package ledger keeps a verifier's record: entries are appended, never changed,
// and read back in order.
//
// It is one append-only file for one process. It knows entries only as canonical
// bytes, derives nothing from them, keeps no index and deletes nothing; package
// verifier folds them into scores and evidence. See docs/decisions/0007-ledger.md
// for why it is a file of our own.
//
// The invariant: an entry whose Append has returned nil is read back, once and in
// order, after a crash at any instruction; the entries of one Append are read back
// all or not at all; and what was damaged is refused, never read as something else.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"sync"

	"targon"
	"targon/filelock"
)

// Sentinels of this package.
var (
	ErrInUse   = filelock.ErrHeld
	ErrClosed  = errors.New("ledger is closed")
	ErrDamaged = errors.New("ledger is damaged")
)

// disk is what a File needs of *os.File; tests put faults behind it.
type disk interface {
	io.ReaderAt
	io.WriterAt
	control
}

type control interface {
	Sync() error
	Truncate(size int64) error
	Close() error
}

// A batch gathers the entries of concurrent Appends into one frame.
type batch struct {
	frame []byte // its head still empty
	done  chan struct{}
	err   error // set before done is closed
}

// File is an open ledger. Its methods may be called concurrently.
type File struct {
	path string
	log  *slog.Logger
	disk disk
	turn chan struct{} // holds one value while somebody writes
	most int           // bytes of payload in a frame: maxPayload, less in tests

	mu       sync.Mutex
	next     *batch // not yet being written
	end      int64  // of what is durable
	sequence uint64 // of the next frame
	fatal    error  // of a failed sync, or ErrClosed
}

func newFile(d disk, path string) *File {
	return &File{path: path, log: slog.New(slog.DiscardHandler), disk: d, turn: make(chan struct{}, 1), most: maxPayload}
}

// Append writes entries, all or none, and returns once they are on disk.
// Concurrent calls share a sync.
//
// ctx is looked at before the write begins and not after: what has begun is waited
// for, so that an answer is never "perhaps". After an error the entries are not in
// this File; in the two cases where a reopened ledger may have them (a failed
// sync, a failed write followed by a crash) the process never said they were.
// A full disk fails one Append and later ones may succeed. A failed sync is final,
// because the kernel may have dropped the pages: every later Append returns it.
func (f *File) Append(ctx context.Context, entries ...targon.Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append to ledger: %w", err)
	}
	var payload []byte
	for i, e := range entries {
		var err error
		if payload, err = appendEntry(payload, e); err != nil {
			return fmt.Errorf("append to ledger: entry %d of %d: %w", i+1, len(entries), err)
		}
	}
	if len(payload) > f.most {
		return fmt.Errorf("append to ledger: %d bytes at once, limit %d", len(payload), f.most)
	}
	if len(entries) == 0 {
		return nil
	}
	for {
		b, joined := f.join(payload)
		f.settle(b)
		if joined {
			return b.err
		}
	}
}

// join adds a payload to the batch that is written next, unless it is full.
func (f *File) join(payload []byte) (b *batch, joined bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == nil {
		f.next = &batch{frame: make([]byte, frameHead, frameHead+len(payload)), done: make(chan struct{})}
	}
	if len(f.next.frame)-frameHead+len(payload) > f.most {
		return f.next, false
	}
	f.next.frame = append(f.next.frame, payload...)
	return f.next, true
}

// settle returns when b is on disk or has failed. Whoever gets the turn first
// writes it for all who joined.
func (f *File) settle(b *batch) {
	select {
	case <-b.done:
		return
	case f.turn <- struct{}{}:
	}
	defer func() { <-f.turn }()
	f.mu.Lock()
	mine := f.next == b
	if mine {
		f.next = nil
	}
	f.mu.Unlock()
	if mine {
		b.err = f.write(b.frame)
		close(b.done)
	}
}

// write puts one frame on disk. The caller has the turn.
func (f *File) write(frame []byte) error {
	f.mu.Lock()
	end, sequence, fatal := f.end, f.sequence, f.fatal
	f.mu.Unlock()
	if fatal != nil {
		return fatal
	}
	seal(frame, sequence)
	if _, err := f.disk.WriteAt(frame, end); err != nil {
		err = fmt.Errorf("append to ledger %s: %w", f.path, err)
		if cut := f.disk.Truncate(end); cut != nil {
			return f.fail(fmt.Errorf("%w; and what was written could not be taken back: %w", err, cut))
		}
		return err
	}
	if err := f.disk.Sync(); err != nil {
		return f.fail(fmt.Errorf("sync ledger %s, which takes no more entries until it is reopened: %w", f.path, err))
	}
	f.mu.Lock()
	f.end, f.sequence = end+int64(len(frame)), sequence+1
	f.mu.Unlock()
	return nil
}

func (f *File) fail(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fatal = err
	return err
}

// All yields the entries that were durable when All was called, from the first on.
// Checksums are verified again; the first error ends the sequence.
func (f *File) All(ctx context.Context) iter.Seq2[targon.Entry, error] {
	f.mu.Lock()
	end, fatal := f.end, f.fatal
	f.mu.Unlock()
	return func(yield func(targon.Entry, error) bool) {
		if errors.Is(fatal, ErrClosed) {
			yield(nil, fmt.Errorf("read ledger: %w", ErrClosed))
			return
		}
		s := newScanner(f.disk, end)
		for {
			at := s.offset
			payload, err := s.next()
			if errors.Is(err, io.EOF) && at == end {
				return
			}
			if errors.Is(err, errFrame) {
				err = fmt.Errorf("%w since it was opened: %s at byte %d", ErrDamaged, f.path, at)
			}
			if err != nil {
				yield(nil, fmt.Errorf("read ledger: %w", err))
				return
			}
			if !yieldFrame(ctx, payload, yield) {
				return
			}
		}
	}
}

// yieldFrame yields a frame's entries and reports whether to go on.
func yieldFrame(ctx context.Context, payload []byte, yield func(targon.Entry, error) bool) bool {
	for len(payload) > 0 {
		if err := ctx.Err(); err != nil {
			yield(nil, fmt.Errorf("read ledger: %w", err))
			return false
		}
		raw, rest, err := nextEntry(payload)
		if err != nil {
			yield(nil, fmt.Errorf("read ledger: %w", err))
			return false
		}
		e, err := targon.DecodeEntry(raw)
		if err != nil {
			yield(nil, fmt.Errorf("read ledger: %w", err))
			return false
		}
		if !yield(e, nil) {
			return false
		}
		payload = rest
	}
	return true
}

// Close waits for a write that has begun and lets go of the file.
func (f *File) Close() error {
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	f.mu.Lock()
	closed := errors.Is(f.fatal, ErrClosed)
	f.fatal = ErrClosed
	f.mu.Unlock()
	if closed {
		return nil
	}
	if err := f.disk.Close(); err != nil {
		return fmt.Errorf("close ledger %s: %w", f.path, err)
	}
	return nil
}
