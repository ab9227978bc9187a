package node

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/wallet"
)

func TestKeepRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "verifier")
	first, err := keepRoot(dir)
	if err != nil || first == (targon.Secret{}) {
		t.Fatal("no secret: ", err)
	}
	path := filepath.Join(dir, rootName)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info.Mode(), err)
	}
	if again, err := keepRoot(dir); err != nil || again != first {
		t.Errorf("another secret at the second start: %v", err)
	}
	if other, err := keepRoot(t.TempDir()); err != nil || other == first {
		t.Errorf("the same secret in another folder: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := keepRoot(dir); !errors.Is(err, wallet.ErrOpenFile) {
		t.Errorf("a secret that others may read: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, ledgerName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := keepRoot(dir); err == nil || !strings.Contains(err.Error(), "is gone and the ledger") {
		t.Errorf("a ledger whose secret is gone: %v", err)
	}
	for _, bad := range []string{"", "12\n", strings.Repeat("x", 64)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keepRoot(dir); err == nil || !strings.Contains(err.Error(), "holds no root secret") {
			t.Errorf("secret %q: %v", bad, err)
		}
	}
}

func TestKeepChain(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := keepChain(dir, targon.Digest{1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := keepChain(dir, targon.Digest{2}); err == nil || !strings.Contains(err.Error(), "belongs to the chain with genesis 0100000000000000…") {
		t.Errorf("another chain: %v", err)
	}
}

func TestKeepOwner(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := keepOwner(dir, 4, targon.Hotkey{1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{keepOwner(dir, 4, targon.Hotkey{2}), keepOwner(dir, 5, targon.Hotkey{1})} {
		if !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), "belongs to verifier 4-") {
			t.Errorf("another's folder: %v", err)
		}
	}
}

// hashes are of a chain whose blocks end at 9.
type hashes struct{}

func (hashes) BlockHash(_ context.Context, b targon.Block) (targon.Digest, error) {
	if b > 9 {
		return targon.Digest{}, subtensor.ErrNoBlock
	}
	return targon.Digest{byte(b)}, nil
}

// TestLocalInputs: one value for a block and a secret, none before the block is final.
func TestLocalInputs(t *testing.T) {
	seen := map[targon.Digest]bool{}
	for _, root := range []targon.Secret{{1}, {2}} {
		for b := range targon.Block(10) {
			d, err := LocalInputs(root, hashes{}).Input(t.Context(), b)
			again, _ := LocalInputs(root, hashes{}).Input(t.Context(), b)
			if err != nil || d != again || seen[d] {
				t.Errorf("block %d: %s, then %s, seen %v, %v", b, d, again, seen[d], err)
			}
			seen[d] = true
		}
	}
	if _, err := LocalInputs(targon.Secret{}, hashes{}).Input(t.Context(), 10); !errors.Is(err, subtensor.ErrNoBlock) {
		t.Errorf("a block that is not final: %v", err)
	}
}

// weighing is a chain that takes weights when it is told to.
type weighing struct {
	RemoteChain
	hidden  bool
	resumed []error // what Resume says, one after the other; then nil
	resumes atomic.Int32
	took    chan targon.Weights
	let     chan error
}

func (w *weighing) Hyperparameters(context.Context) (subtensor.Hyperparameters, error) {
	return subtensor.Hyperparameters{CommitRevealWeightsEnabled: w.hidden}, nil
}

func (w *weighing) Resume(context.Context) (bool, error) {
	if n := int(w.resumes.Add(1)); n <= len(w.resumed) {
		return false, w.resumed[n-1]
	}
	return false, nil
}

func (w *weighing) SetWeights(ctx context.Context, v targon.Weights) error {
	w.took <- v
	select {
	case err := <-w.let:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestSetter: where weights must be committed and revealed, the caller does not wait
// for it, and nothing else is begun meanwhile.
func TestSetter(t *testing.T) {
	c := &weighing{took: make(chan targon.Weights, 1), let: make(chan error, 1)}
	s := newSetter(c, nil, slog.New(slog.DiscardHandler))
	one, two := targon.Weights{{UID: 1, Value: 65535}}, targon.Weights{{UID: 2, Value: 65535}}
	refused := errors.New("refused")
	c.let <- refused
	if err := s.SetWeights(t.Context(), one); !errors.Is(err, refused) {
		t.Errorf("at once: %v", err)
	}
	<-c.took

	c.hidden = true
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	for began := false; !began; {
		if err := s.SetWeights(t.Context(), one); !errors.Is(err, errUnderWay) {
			t.Fatalf("where it takes epochs: %v", err)
		}
		select {
		case w := <-c.took:
			began = w[0].UID == 1
		default:
		}
	}
	for range 3 {
		if err := s.SetWeights(t.Context(), two); !errors.Is(err, errUnderWay) {
			t.Errorf("while it is under way: %v", err)
		}
	}
	if len(c.took) != 0 {
		t.Error("a second vector was begun")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// telling is a chain that counts how often a hash is asked for.
type telling struct {
	RemoteChain
	asked int
}

func (c *telling) Blocks(context.Context) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		for b := targon.Block(1); b <= 3*remembered; b++ {
			if !yield(targon.Header{Number: b, Hash: targon.Digest{byte(b)}}, nil) {
				return
			}
		}
		yield(targon.Header{}, errors.New("gone"))
	}
}

func (c *telling) BlockHash(_ context.Context, b targon.Block) (targon.Digest, error) {
	c.asked++
	return targon.Digest{byte(b)}, nil
}

// TestHashing: what the chain has just told of is not asked for, and the rest is.
func TestHashing(t *testing.T) {
	chain := &telling{}
	c := &hashing{RemoteChain: chain}
	if _, err := c.BlockHash(t.Context(), 0); err != nil || chain.asked != 1 {
		t.Errorf("a block that nobody told of: %v, asked %d times", err, chain.asked)
	}
	told := 0
	for h, err := range c.Blocks(t.Context()) {
		if told++; err != nil {
			break
		}
		for _, b := range []targon.Block{h.Number, max(h.Number, remembered) - remembered + 1} {
			if got, err := c.BlockHash(t.Context(), b); err != nil || got != (targon.Digest{byte(b)}) || chain.asked != 1 {
				t.Fatalf("at block %d, block %d is %x, %v, asked %d times", h.Number, b, got, err, chain.asked)
			}
		}
	}
	if got, err := c.BlockHash(t.Context(), 2*remembered); err != nil || got != (targon.Digest{2 * remembered}) || chain.asked != 2 || told != 3*remembered+1 {
		t.Errorf("a block of long ago is %x, %v, asked %d times after %d blocks", got, err, chain.asked, told)
	}
}

// TestSetterResumes: what an earlier process committed to comes before anything else,
// however long the chain is silent; what the chain refuses is given up.
func TestSetterResumes(t *testing.T) {
	for name, c := range map[string]struct {
		says []error
		want int32
	}{
		"nothing is left":  {nil, 1},
		"silent for long":  {[]error{rpc.ErrUnavailable, rpc.ErrUnknown, rpc.ErrUnavailable}, 4},
		"refused for good": {[]error{subtensor.RevealTooEarly, nil}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &weighing{hidden: true, resumed: c.says, took: make(chan targon.Weights, 1), let: make(chan error, 1)}
			s := newSetter(w, nil, slog.New(slog.DiscardHandler))
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.run(ctx) }()
			synctest.Wait()
			if c.want > 1 { // it is not asked for anything new meanwhile
				if err := s.SetWeights(ctx, targon.Weights{{UID: 1, Value: 65535}}); !errors.Is(err, errUnderWay) || len(w.took) != 0 {
					t.Errorf("%s: while it resumes: %v, took %d", name, err, len(w.took))
				}
			}
			time.Sleep(time.Minute)
			if got := w.resumes.Load(); got != c.want {
				t.Errorf("%s: tried %d times, want %d", name, got, c.want)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPledgeFile: it outlives its owner, others cannot read it, and it goes away.
func TestPledgeFile(t *testing.T) {
	dir := t.TempDir()
	k := PledgeFile(dir)
	if b, err := k.Kept(); err != nil || b != nil {
		t.Errorf("in an empty folder: %x, %v", b, err)
	}
	if err := k.Keep(nil); err != nil {
		t.Errorf("nothing to forget: %v", err)
	}
	for _, want := range []string{"one", "another"} {
		if err := k.Keep([]byte(want)); err != nil {
			t.Fatal(err)
		}
		if b, err := PledgeFile(dir).Kept(); err != nil || string(b) != want {
			t.Errorf("kept %q, %v, want %q", b, err, want)
		}
	}
	path := filepath.Join(dir, pledgeName)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := k.Kept(); err != nil || len(b) == 0 || new(subtensor.Pledge).UnmarshalBinary(b) == nil {
		t.Errorf("a damaged one: %q, %v", b, err)
	}
	if err := k.Keep(nil); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
