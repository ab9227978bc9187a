package localnet

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"targon"
	"targon/chain/subtensor"
	"targon/sign"
)

// stand opens a ground in a folder, lets f use it, and closes it.
func stand(t *testing.T, c Config, dir string, height uint64, f func(g *ground, c *subtensor.Client, purse *sign.Key)) {
	t.Helper()
	seed := uint64(1)
	s, err := newSecrets(&seed)
	if err != nil {
		t.Fatal(err)
	}
	c.Log = slog.New(slog.DiscardHandler)
	g, err := openGround(t.Context(), c, s, dir, targon.Block(height))
	if err != nil {
		t.Fatal(err)
	}
	purse, err := s.key("purse")
	if err != nil {
		t.Fatal(err)
	}
	client, err := g.client(purse)
	if err != nil {
		t.Fatal(err)
	}
	f(g, client, purse)
	if err := g.close(); err != nil {
		t.Error(err)
	}
}

// TestEnrol: slots go in the order of the cast, though nobody waits for the one before;
// the verifier alone has stake and may set weights. Who is there is not enrolled again,
// also on the chain of an earlier run, and newcomers come after.
func TestEnrol(t *testing.T) {
	var keys []*sign.Key
	for name := range strings.FieldsSeq("v a b c d e f g h i j k l m n o p") {
		k, err := secrets{}.key(name)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	dir, c := t.TempDir(), Config{Tempo: 11, BlockTime: 20 * time.Millisecond}
	for _, n := range []int{11, 11, len(keys)} {
		stand(t, c, dir, 0, func(_ *ground, client *subtensor.Client, purse *sign.Key) {
			if err := enrol(t.Context(), client, purse, keys[0], keys[1:n]); err != nil {
				t.Fatal(err)
			}
			m, err := client.Metagraph(t.Context())
			if err != nil || len(m.Neurons) != n {
				t.Fatalf("%d neurons, %v, want %d", len(m.Neurons), err, n)
			}
			for i, k := range keys[:n] {
				switch got := m.Neurons[i]; {
				case got.Hotkey != k.Hotkey() || got.Coldkey != purse.Hotkey():
					t.Errorf("slot %d has %s of %s, want %s", i, got.Hotkey, got.Coldkey, k.Hotkey())
				case got.Permit != (i == 0), (got.Stake == stake) != (i == 0):
					t.Errorf("slot %d: permit %v, stake %d", i, got.Permit, got.Stake)
				}
			}
			left, err := client.Balance(t.Context(), purse.Hotkey())
			if want := fortune - stake - burn*targon.Rao(n); err != nil || left != want {
				t.Errorf("the purse holds %d, %v, want %d", left, err, want)
			}
		})
	}
}

// TestGroundIsKept: a chain goes on where it ended, and where a ledger ends if blocks
// are missing; one that was made with other settings is refused.
func TestGroundIsKept(t *testing.T) {
	dir, c := t.TempDir(), Config{Tempo: 11, BlockTime: time.Millisecond}
	height := uint64(0)
	for _, least := range []uint64{0, 500, 100, 0} {
		stand(t, c, dir, least, func(_ *ground, client *subtensor.Client, _ *sign.Key) {
			h, err := client.Head(t.Context())
			if err != nil || uint64(h.Number) < max(height, least) {
				t.Errorf("at block %d, %v; it was at %d, the ledger at %d", h.Number, err, height, least)
			}
			height = uint64(h.Number)
		})
	}
	for name, other := range map[string]Config{
		"tempo":  {Tempo: 12, BlockTime: c.BlockTime},
		"reveal": {Tempo: 11, BlockTime: c.BlockTime, CommitReveal: true},
	} {
		seed := uint64(1)
		s, err := newSecrets(&seed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openGround(t.Context(), other, s, dir, 0); err == nil || !strings.Contains(err.Error(), "was made with other settings") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEnrolCanBeLeft: whoever waits for a block that is far away need not.
func TestEnrolCanBeLeft(t *testing.T) {
	stand(t, Config{Tempo: 11, BlockTime: time.Hour}, t.TempDir(), 0, func(_ *ground, client *subtensor.Client, purse *sign.Key) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := enrol(ctx, client, purse, purse, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("enrol ends with %v", err)
		}
	})
}
