package local_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"targon"
	"targon/chain/local"
	"targon/chain/subtensor"
	"targon/sign"
)

// life runs a chain of a file, lets f use it, and returns its last block.
func life(t *testing.T, config local.Config, path string, f func(c *subtensor.Client, alice *sign.Key)) targon.Header {
	t.Helper()
	c, err := local.Open(config, path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- c.Run(ctx) }()
	go func() { done <- local.NewNode(c).Serve(ctx, l) }()
	node := connect(t, "ws://"+l.Addr().String())
	alice := key(t, 1)
	f(subtensor.New(node, 4, alice), alice)
	_ = node.Close()
	cancel()
	if err := errors.Join(<-done, <-done); err != nil {
		t.Error(err)
	}
	h, err := c.For(alice).Head(t.Context())
	if err := errors.Join(err, c.Close()); err != nil {
		t.Error(err)
	}
	return h
}

// TestJournal: a chain goes on where it ended, a torn line is dropped, and a file of
// another chain is refused.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chain")
	config := local.Config{NetUID: 4, Tempo: 9, BlockTime: 2 * time.Millisecond, Accounts: []local.Account{{Hotkey: key(t, 1).Hotkey(), Balance: 10e9}}}
	first := life(t, config, path, func(c *subtensor.Client, alice *sign.Key) {
		if _, err := c.Register(t.Context(), alice, alice.Hotkey()); err != nil {
			t.Error(err)
		}
		if _, err := c.AddStake(t.Context(), alice, alice.Hotkey(), 3e9); err != nil {
			t.Error(err)
		}
	})
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"block":`)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		life(t, config, path, func(c *subtensor.Client, _ *sign.Key) {
			if got, err := c.BlockHash(t.Context(), first.Number); err != nil || got != first.Hash {
				t.Errorf("block %d is %s, %v; it was %s", first.Number, got, err, first.Hash)
			}
			m, err := c.Metagraph(t.Context())
			if n, ok := m.ByUID(0); err != nil || !ok || n.Stake != 3e9 || !n.Permit {
				t.Errorf("after another start: %+v, %v", m, err)
			}
		})
	}
	config.Rules.Burn = 7
	if _, err := local.Open(config, path); !errors.Is(err, local.ErrJournal) {
		t.Errorf("with other rules: %v", err)
	}
	config.Rules.Burn = 0
	if err := os.WriteFile(path, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(config, path); !errors.Is(err, local.ErrJournal) {
		t.Errorf("a file of something else: %v", err)
	}
	c, err := local.Open(config, filepath.Join(t.TempDir(), "other"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.For(key(t, 1)).Register(t.Context()); err == nil {
		t.Error("a call that the journal does not see was taken")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// TestJournalOfNobody: a file that is none stays as it is, also without a whole line, and
// one that another chain writes is left to it.
func TestJournalOfNobody(t *testing.T) {
	config := local.Config{NetUID: 4, Tempo: 9, BlockTime: time.Hour}
	path := filepath.Join(t.TempDir(), "key")
	const key = `{"secretSeed":"0x00"}`
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(config, path); !errors.Is(err, local.ErrJournal) {
		t.Errorf("somebody's key: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != key {
		t.Errorf("the file is now %q, %v", got, err)
	}
	path = filepath.Join(t.TempDir(), "chain")
	c, err := local.Open(config, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(config, path); err == nil || errors.Is(err, local.ErrJournal) {
		t.Errorf("the file of a chain that runs: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 20} { // a crash while it was begun
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := local.Open(config, path)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		_ = c.Close()
	}
}
