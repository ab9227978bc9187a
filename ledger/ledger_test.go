package ledger_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"targon"
	"targon/ledger"
	"targon/ledger/ledgertest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		os.Exit(child(path))
	}
	goleak.VerifyTestMain(m)
}

func TestFile(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB) ledgertest.Opener {
		path := filepath.Join(t.TempDir(), "ledger")
		return func() (ledgertest.Ledger, error) {
			f, err := ledger.Open(path)
			if err != nil {
				return nil, err
			}
			return f, nil
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path, ctx := filepath.Join(dir, "ledger"), context.Background()
	for epoch := range targon.Epoch(2) {
		l, err := ledger.Open(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(l.Append(ctx, targon.WeightsSet{Epoch: epoch, Block: 362}))
		for e, err := range l.All(ctx) {
			fmt.Println(e, err)
		}
		fmt.Println(l.Close())
	}
	// Output:
	// <nil>
	// {0 362} <nil>
	// <nil>
	// <nil>
	// {0 362} <nil>
	// {1 362} <nil>
	// <nil>
}

func TestFileIsPrivateAndHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	f, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v, want 0600", info.Mode(), err)
	}
	_, err = ledger.Open(path)
	if want := "ledger " + path + " is in use by another process"; err == nil || err.Error() != want {
		t.Errorf("second open says %q, want %q", err, want)
	}
}

func TestOpenRefusesOtherThings(t *testing.T) {
	newer := []byte("TGLEDGER\x02\x00\x00\x00")
	for name, content := range map[string][]byte{
		"another file":  []byte("a letter to somebody, longer than a header"),
		"a short file":  []byte("letter"),
		"a newer one":   binary.LittleEndian.AppendUint32(newer, crc32.Checksum(newer, crc32.MakeTable(crc32.Castagnoli))),
		"a bent header": append([]byte("TGLEDGER\x01\x00\x00\x00"), 1, 2, 3, 4),
	} {
		path := filepath.Join(t.TempDir(), "ledger")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ledger.Open(path)
		if !errors.Is(err, ledger.ErrDamaged) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("%s: %v", name, err)
		}
		if says := strings.Contains(err.Error(), "version 2"); says != (name == "a newer one") {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := ledger.Open(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := ledger.Open(filepath.Join(t.TempDir(), "no", "where")); err == nil {
		t.Error("a file in no directory was opened")
	}
}

// small is a ledger of a few frames of several entries: its entries, its bytes, and
// how many entries each prefix of bytes holds whole.
func small(t testing.TB) (entries []targon.Entry, content []byte, whole map[int]int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	f, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	whole = map[int]int{}
	all := ledgertest.Entries()
	for _, batch := range [][]targon.Entry{all[:1], all[1:3], all[3:4], all[4:]} {
		if err := f.Append(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, batch...)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		whole[int(info.Size())] = len(entries)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if content, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return entries, content, whole
}

// reopen opens content in memory and returns its entries, what was cut off, and
// the refusal.
func reopen(t testing.TB, content []byte) (entries []targon.Entry, torn []byte, err error) {
	t.Helper()
	d := &memDisk{now: bytes.Clone(content)}
	f, err := ledger.OpenDisk(d, int64(len(content)), func(b []byte) { torn = b })
	if err != nil {
		if !bytes.Equal(d.now, content) {
			t.Fatalf("refused and changed: %v", err)
		}
		return nil, nil, err
	}
	return entriesOf(t, f), torn, nil
}

func entriesOf(t testing.TB, f *ledger.File) []targon.Entry {
	t.Helper()
	var out []targon.Entry
	for e, err := range f.All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func TestEveryTruncation(t *testing.T) {
	entries, content, whole := small(t)
	want := 0
	for size := range len(content) + 1 {
		if n, ok := whole[size]; ok {
			want = n
		}
		got, torn, err := reopen(t, content[:size])
		if err != nil {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
		if diff := cmp.Diff(entries[:want], got); diff != "" && want+len(got) > 0 {
			t.Fatalf("cut to %d bytes (-want +got):\n%s", size, diff)
		}
		if !bytes.HasSuffix(content[:size], torn) {
			t.Fatalf("cut to %d bytes: the torn bytes that are kept differ", size)
		}
	}
}

func TestEveryBitFlip(t *testing.T) {
	entries, content, _ := small(t)
	last := len(content) - len(lastFrame(content))
	refused := 0
	for bit := range len(content) * 8 {
		bent := bytes.Clone(content)
		bent[bit/8] ^= 1 << (bit % 8)
		got, _, err := reopen(t, bent)
		if err != nil {
			refused++
			continue
		}
		if bit/8 < last {
			t.Fatalf("bit %d of byte %d is wrong, intact frames follow, and it was accepted", bit%8, bit/8)
		}
		if len(got) >= len(entries) || cmp.Diff(entries[:len(got)], got) != "" {
			t.Fatalf("bit %d of byte %d is wrong and it reads as %v", bit%8, bit/8, got)
		}
	}
	if refused != last*8 {
		t.Errorf("%d flips refused, want %d", refused, last*8)
	}
}

// lastFrame finds where small's last append began.
func lastFrame(content []byte) []byte {
	at := 16
	for {
		n := 16 + int(uint32(content[at])|uint32(content[at+1])<<8|uint32(content[at+2])<<16)
		if at+n == len(content) {
			return content[at:]
		}
		at += n
	}
}

func TestSplicedFramesAreRefused(t *testing.T) {
	_, content, _ := small(t)
	last := lastFrame(content)
	for name, bent := range map[string][]byte{
		"a frame twice":          append(bytes.Clone(content), last...),
		"a frame left out":       append(bytes.Clone(content[:16]), last...),
		"zeros before a frame":   append(append(bytes.Clone(content[:len(content)-len(last)]), make([]byte, 40)...), last...),
		"a mebibyte before it":   append(append(bytes.Clone(content[:len(content)-len(last)]), make([]byte, 1<<20-9)...), last...),
		"a first frame repeated": append(bytes.Clone(content), content[16:]...),
	} {
		if _, _, err := reopen(t, bent); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, torn, err := reopen(t, append(bytes.Clone(content), make([]byte, 4096)...)); err != nil || len(torn) != 4096 {
		t.Errorf("zeros at the end: %v, %d bytes cut", err, len(torn))
	}
}

func TestTornTailIsKeptAndReported(t *testing.T) {
	_, content, _ := small(t)
	path := filepath.Join(t.TempDir(), "ledger")
	var said bytes.Buffer
	for round := 1; round <= 2; round++ {
		if err := os.WriteFile(path, content[:len(content)-round], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := ledger.Open(path, ledger.WithLog(slog.New(slog.NewTextHandler(&said, nil))))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Append(t.Context(), ledgertest.Entries()...); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s.torn-%d", path, round)
		torn, err := os.ReadFile(name)
		if err != nil || !bytes.HasPrefix(lastFrame(content), torn) || len(torn) != len(lastFrame(content))-round {
			t.Errorf("%d torn bytes kept, %v", len(torn), err)
		}
		if !strings.Contains(said.String(), name) {
			t.Errorf("the log says %q", said.String())
		}
	}
}

func TestRefusalSaysWhereAndWhatToDo(t *testing.T) {
	_, content, _ := small(t)
	content[20]++
	_, _, err := reopen(t, content)
	for _, part := range []string{"byte 16", "frame 1", "nothing was changed", "restore a copy; do not cut the file"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nlacks %q", err, part)
		}
	}
}

func TestRotAfterOpeningIsSeen(t *testing.T) {
	_, content, _ := small(t)
	d := &memDisk{now: content}
	f, err := ledger.OpenDisk(d, int64(len(content)), nil)
	if err != nil {
		t.Fatal(err)
	}
	d.now[len(d.now)-1]++
	var last error
	for _, err := range f.All(t.Context()) {
		last = err
	}
	if !errors.Is(last, ledger.ErrDamaged) {
		t.Errorf("read on with %v", last)
	}
}

func TestTooMuchAtOnce(t *testing.T) {
	f, err := ledger.OpenDisk(&memDisk{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := targon.WeightsSet{} // 44 bytes with its length
	f.Limit(5 * 44)
	if err := f.Append(t.Context(), e, e, e, e, e, e); err == nil {
		t.Error("6 entries were accepted at once, the limit is 5")
	}
	done := make(chan error)
	for range 8 { // any two are too much for one frame
		go func() { done <- f.Append(t.Context(), e, e, e) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := f.Append(t.Context(), e, e, e, e, e); err != nil {
		t.Errorf("5 entries at once: %v", err)
	}
	if n := len(entriesOf(t, f)); n != 29 {
		t.Errorf("%d entries, want 29", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			f, err := ledger.Open(filepath.Join(b.TempDir(), "ledger"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			e := ledgertest.Entries()[1]
			var left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan error, callers)
			for range callers {
				go func() {
					var err error
					for left.Add(-1) >= 0 && err == nil {
						err = f.Append(b.Context(), e)
					}
					done <- err
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}
