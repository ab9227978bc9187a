package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"targon"
)

// Memory is a ledger that lasts as long as the process. The zero value is ready:
// use it as a ledger directly, or Open it as often as a test restarts. It keeps
// encoded bytes, so that what it gives back has been through the codec.
type Memory struct {
	mu      sync.Mutex
	entries [][]byte
	open    bool
}

var errMemory = errors.New("memory ledger is closed")

// Open returns a handle that must be closed before the next one is opened.
func (m *Memory) Open() (Ledger, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open {
		return nil, errors.New("memory ledger is in use")
	}
	m.open = true
	return &handle{m: m}, nil
}

// Append adds entries, all or none.
func (m *Memory) Append(ctx context.Context, entries ...targon.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	encoded := make([][]byte, 0, len(entries))
	for i, e := range entries {
		if e == nil {
			return fmt.Errorf("entry %d is nil", i)
		}
		b, err := e.MarshalBinary()
		if err == nil {
			_, err = targon.DecodeEntry(b)
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		encoded = append(encoded, b)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, encoded...)
	return nil
}

// All yields the entries that were there when it was called.
func (m *Memory) All(ctx context.Context) iter.Seq2[targon.Entry, error] {
	m.mu.Lock()
	entries := slices.Clip(m.entries)
	m.mu.Unlock()
	return func(yield func(targon.Entry, error) bool) {
		for _, b := range entries {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			e, err := targon.DecodeEntry(b)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Close does nothing: a Memory outlives its handles.
func (m *Memory) Close() error { return nil }

// A handle is a Memory between Open and Close.
type handle struct {
	m      *Memory
	mu     sync.Mutex
	closed bool
}

func (h *handle) gone() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

func (h *handle) Append(ctx context.Context, entries ...targon.Entry) error {
	if h.gone() {
		return errMemory
	}
	return h.m.Append(ctx, entries...)
}

func (h *handle) All(ctx context.Context) iter.Seq2[targon.Entry, error] {
	if h.gone() {
		return func(yield func(targon.Entry, error) bool) { yield(nil, errMemory) }
	}
	return h.m.All(ctx)
}

func (h *handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.closed = true
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.m.open = false
	return nil
}
