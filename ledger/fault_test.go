package ledger_test

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/ledger"
	"targon/ledger/ledgertest"
)

// memDisk is a disk in memory. What was written since the last sync is remembered
// sector by sector, so that a power failure can keep any part of it.
type memDisk struct {
	mu     sync.Mutex
	now    []byte // what reads see
	synced []byte // what a power failure cannot take

	room      int   // bytes that still fit, when writeErr is set
	writeErr  error // once room is used up
	persists  bool  // a failing write still reaches the disk whole
	syncErr   error
	cutErr    error
	syncCalls int
}

func (d *memDisk) ReadAt(b []byte, at int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.NewReader(d.now).ReadAt(b, at)
}

func (d *memDisk) WriteAt(b []byte, at int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := len(b), error(nil)
	if d.writeErr != nil && d.room < len(b) {
		n, err = d.room, d.writeErr
	}
	wrote := n
	if d.persists {
		wrote = len(b)
	}
	if grow := int(at) + wrote - len(d.now); grow > 0 {
		d.now = append(d.now, make([]byte, grow)...)
	}
	copy(d.now[at:], b[:wrote])
	return n, err
}

func (d *memDisk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncCalls++
	if d.syncErr != nil {
		return d.syncErr
	}
	d.synced = bytes.Clone(d.now)
	return nil
}

func (d *memDisk) Truncate(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cutErr != nil {
		return d.cutErr
	}
	d.now = d.now[:size]
	return nil
}

func (d *memDisk) Close() error { return nil }

// crash returns what is on disk after a power failure: of each 16-byte sector that
// was not synced, the old or the new content, as survives chooses.
func (d *memDisk) crash(survives func() bool) []byte {
	out := make([]byte, max(len(d.now), len(d.synced)))
	copy(out, d.synced)
	size := len(d.synced)
	for at := 0; at < len(d.now); at += 16 {
		sector := d.now[at:min(at+16, len(d.now))]
		if survives() {
			copy(out[at:], sector)
			size = max(size, at+len(sector))
		}
	}
	return out[:size]
}

var errFault = errors.New("fault")

func TestFaults(t *testing.T) {
	one, two := ledgertest.Entries()[0], ledgertest.Entries()[1]
	tests := []struct {
		name   string
		fault  func(d *memDisk)
		fatal  bool // later appends fail although the fault has gone
		either bool // a reopened ledger may have the entries
	}{
		{name: "disk full at once", fault: func(d *memDisk) { d.writeErr = syscall.ENOSPC }},
		{name: "disk full inside a frame's head", fault: func(d *memDisk) { d.writeErr, d.room = syscall.ENOSPC, 7 }},
		{name: "disk full inside a payload", fault: func(d *memDisk) { d.writeErr, d.room = syscall.ENOSPC, 33 }},
		{name: "write fails but persists", fault: func(d *memDisk) { d.writeErr, d.persists = errFault, true }},
		{name: "write fails and cannot be taken back", fault: func(d *memDisk) { d.writeErr, d.cutErr = errFault, errFault }, fatal: true},
		{name: "sync fails", fault: func(d *memDisk) { d.syncErr = errFault }, fatal: true, either: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &memDisk{}
			f, err := ledger.OpenDisk(d, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Append(t.Context(), one); err != nil {
				t.Fatal(err)
			}
			tt.fault(d)
			first := f.Append(t.Context(), two, two)
			if !errors.Is(first, d.writeErr) && !errors.Is(first, d.syncErr) {
				t.Fatalf("append says %v", first)
			}
			if diff := cmp.Diff([]targon.Entry{one}, entriesOf(t, f)); diff != "" {
				t.Errorf("what failed is read back:\n%s", diff)
			}
			d.writeErr, d.syncErr, d.cutErr, d.persists = nil, nil, nil, false
			syncs := d.syncCalls
			again := f.Append(t.Context(), two)
			want := []targon.Entry{one, two}
			if tt.fatal {
				want = want[:1]
				if again == nil || again.Error() != first.Error() || d.syncCalls != syncs {
					t.Errorf("later append says %v, want %v and no further sync", again, first)
				}
			} else if again != nil {
				t.Errorf("later append says %v", again)
			}
			got, _, err := reopen(t, d.now)
			if err != nil {
				t.Fatal(err)
			}
			if tt.either && len(got) == 3 {
				want = []targon.Entry{one, two, two}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reopened (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDiskFullAtEveryByte lets the disk run full at each byte of an append.
func TestDiskFullAtEveryByte(t *testing.T) {
	entries := ledgertest.Entries()
	for room := 0; ; room++ {
		d := &memDisk{}
		f, err := ledger.OpenDisk(d, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.writeErr, d.room = syscall.ENOSPC, room
		if err := f.Append(t.Context(), entries...); err == nil {
			return
		} else if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		d.writeErr = nil
		if err := f.Append(t.Context(), entries[1]); err != nil {
			t.Fatalf("space came back after %d bytes: %v", room, err)
		}
		if got, torn, err := reopen(t, d.now); err != nil || len(torn) != 0 || len(got) != 1 {
			t.Fatalf("full after %d bytes: %v, %d entries", room, err, len(got))
		}
	}
}

// TestPowerFailure appends, loses power during a write whose sectors reach the disk
// in any combination, reopens and goes on.
func TestPowerFailure(t *testing.T) {
	all := ledgertest.Entries()
	rapid.Check(t, func(t *rapid.T) {
		d := &memDisk{}
		var kept []targon.Entry
		for range rapid.IntRange(1, 4).Draw(t, "crashes") {
			f, err := ledger.OpenDisk(d, int64(len(d.now)), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := collect(t, f)
			if diff := cmp.Diff(kept, got); diff != "" {
				t.Fatalf("kept differs:\n%s", diff)
			}
			for range rapid.IntRange(0, 3).Draw(t, "appends") {
				e := rapid.SampledFrom(all).Draw(t, "entry")
				if err := f.Append(t.Context(), e); err != nil {
					t.Fatal(err)
				}
				kept = append(kept, e)
			}
			last := rapid.SliceOfN(rapid.SampledFrom(all), 1, 3).Draw(t, "unacknowledged")
			d.syncErr = errFault
			if err := f.Append(t.Context(), last...); err == nil {
				t.Fatal("acknowledged without a sync")
			}
			d = &memDisk{now: d.crash(func() bool { return rapid.Bool().Draw(t, "survives") })}
			d.synced = bytes.Clone(d.now)
			f, err = ledger.OpenDisk(d, int64(len(d.now)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := collect(t, f); len(got) == len(kept)+len(last) {
				kept = append(kept, last...)
			}
		}
	})
}

func collect(t *rapid.T, f *ledger.File) []targon.Entry {
	var out []targon.Entry
	for e, err := range f.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func TestReadErrorsAreNotDamage(t *testing.T) {
	_, content, _ := small(t)
	d := &brokenReader{memDisk: memDisk{now: content}}
	if _, err := ledger.OpenDisk(d, int64(len(content)), nil); !errors.Is(err, errFault) || errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("open says %v", err)
	}
	if len(d.now) != len(content) {
		t.Error("the file was cut because it could not be read")
	}
}

type brokenReader struct{ memDisk }

func (d *brokenReader) ReadAt(b []byte, at int64) (int, error) {
	if at > 0 {
		return 0, errFault
	}
	return d.memDisk.ReadAt(b, at)
}

// FuzzFrames opens any bytes as frames: what is accepted must be, byte for byte,
// what appending it again writes, up to how entries share frames.
func FuzzFrames(f *testing.F) {
	_, content, _ := small(f)
	f.Add(content[16:])
	f.Add(content[16 : len(content)-3])
	f.Add([]byte{4, 0, 0, 0})
	f.Fuzz(func(t *testing.T, frames []byte) {
		content := append(ledger.Header(), frames...)
		d := &memDisk{now: bytes.Clone(content)}
		l, err := ledger.OpenDisk(d, int64(len(content)), nil)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(content, d.now) {
			t.Fatal("what is kept is not a prefix")
		}
		before := len(d.now)
		for _, err := range l.All(t.Context()) {
			if err != nil && !errors.Is(err, targon.ErrEncoding) {
				t.Fatal(err)
			}
		}
		if err := l.Append(t.Context(), ledgertest.Entries()[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.OpenDisk(d, int64(len(d.now)), nil); err != nil || len(d.now) <= before {
			t.Fatalf("cannot go on from what was accepted: %v", err)
		}
	})
}

var _ io.ReaderAt = (*memDisk)(nil)
