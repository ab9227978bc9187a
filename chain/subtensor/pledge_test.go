package subtensor_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"reflect"
	"testing"
	"time"

	"targon"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/sign"
)

// memory is a Keeper that may fail, as a process does that dies: at the n-th Keep, with
// the bytes kept or not.
type memory struct {
	kept  []byte
	calls int
	dieAt int  // 0: never
	after bool // it dies after the bytes are durable
	die   func()
}

var errDied = errors.New("the process died")

func (m *memory) Keep(b []byte) error {
	m.calls++
	dies := m.calls == m.dieAt
	if !dies || m.after {
		m.kept = bytes.Clone(b)
	}
	if dies {
		if m.die != nil {
			m.die()
		}
		return errDied
	}
	return nil
}

func (m *memory) Kept() ([]byte, error) { return m.kept, nil }

// commits lets a fake keep commits as the chain does.
func commits(f *fake, uid int) {
	f.keepWeights(uid)
	keep := f.apply
	f.put("CommitRevealWeightsEnabled", true, 2)
	f.apply = func(c substrate.Call) {
		keep(c)
		switch c.Name {
		case "commit_weights":
			f.put("WeightCommits", []any{[]any{c.Args.Get("commit_hash"), f.head, 0, 0}}, 2, f.hotkey(uid))
		case "reveal_weights":
			f.put("WeightCommits", []any{}, 2, f.hotkey(uid))
		}
	}
}

// TestPledge: wherever a process dies between the salt and the reveal, the next one
// finishes what is on the chain, sends nothing twice, and keeps nothing for ever.
func TestPledge(t *testing.T) {
	vector := targon.Weights{{UID: 1, Value: 65535}, {UID: 3, Value: 7}}
	for _, c := range []struct {
		name  string
		dieAt int
		after bool
		calls []string // of both processes

		resumes bool // the second one reveals
	}{
		{"nobody dies", 0, false, []string{"commit_weights", "reveal_weights"}, false},
		{"before the salt is kept", 1, false, nil, false},
		{"before the commit is sent", 1, true, nil, false},
		{"after the commit, before its block is noted", 2, false, []string{"commit_weights", "reveal_weights"}, true},
		{"while it waits for the reveal", 2, true, []string{"commit_weights", "reveal_weights"}, true},
		{"after the reveal, before it is forgotten", 3, false, []string{"commit_weights", "reveal_weights"}, false},
		{"at the end", 3, true, []string{"commit_weights", "reveal_weights"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			commits(f, 0)
			m := &memory{dieAt: c.dieAt, after: c.after}
			first := subtensor.New(f, 2, account(f.hotkey(0)))
			first.Pledges = m
			if err := first.SetWeights(t.Context(), vector); (err == nil) != (c.dieAt == 0) || err != nil && !errors.Is(err, errDied) {
				t.Fatalf("first process: %v", err)
			}
			m.dieAt = 0
			second := subtensor.New(f, 2, account(f.hotkey(0)))
			second.Pledges = m
			if revealed, err := second.Resume(t.Context()); err != nil || revealed != c.resumes {
				t.Errorf("second process: revealed %v, want %v: %v", revealed, c.resumes, err)
			}
			var names []string
			for _, call := range f.calls {
				names = append(names, call.Name)
			}
			if !reflect.DeepEqual(names, c.calls) || m.kept != nil {
				t.Errorf("calls %v, want %v; kept %x", names, c.calls, m.kept)
			}
			if got, err := second.Weights(t.Context(), 0); err != nil || (c.calls != nil) != reflect.DeepEqual(got, vector) {
				t.Errorf("weights are %v, %v", got, err)
			}
		})
	}
}

// TestPledgeRefused: a reveal that is refused for good is forgotten, so that weights can
// be committed anew; one that may yet be taken is not.
func TestPledgeRefused(t *testing.T) {
	for name, c := range map[string]struct {
		refuse  error
		forgets bool
	}{
		"expired":  {&substrate.DispatchError{Pallet: "SubtensorModule", Name: "ExpiredWeightCommit"}, true},
		"line cut": {rpc.ErrUnavailable, false},
	} {
		f := newFake(t)
		commits(f, 0)
		m := &memory{dieAt: 2, after: true}
		client := subtensor.New(f, 2, account(f.hotkey(0)))
		client.Pledges = m
		if err := client.SetWeights(t.Context(), targon.Weights{{UID: 1, Value: 65535}}); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		f.refuse = c.refuse
		if _, err := client.Resume(t.Context()); err == nil || (m.kept == nil) != c.forgets {
			t.Errorf("%s: %v, kept %x", name, err, m.kept)
		}
	}
}

// TestPledgeLanded an epoch later than its process knew when it died: the first reveal is
// too early, and the next epoch takes it.
func TestPledgeLanded(t *testing.T) {
	f := newFake(t)
	commits(f, 0)
	tempo := targon.Tempo{NetUID: 2, Length: 10}
	m := &memory{dieAt: 2}
	client := subtensor.New(f, 2, account(f.hotkey(0)))
	client.Pledges = m
	if err := client.SetWeights(t.Context(), targon.Weights{{UID: 1, Value: 65535}}); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	known, revealed := tempo.Index(f.head), targon.Block(0)
	early := &substrate.DispatchError{Pallet: "SubtensorModule", Name: "RevealTooEarly"}
	f.onHead = func(b targon.Block) {
		if f.refuse = nil; tempo.Index(b+1) < known+1 {
			f.refuse = early
		}
	}
	apply := f.apply
	f.apply = func(c substrate.Call) {
		apply(c)
		revealed = f.head
	}
	if _, err := client.Resume(t.Context()); err != nil || tempo.Index(revealed) != known+1 || m.kept != nil {
		t.Errorf("%v, committed in epoch %d, revealed in %d, kept %x", err, known, tempo.Index(revealed), m.kept)
	}
	if n := len(f.calls); n != 3 {
		t.Errorf("%d calls, want a commit, a reveal too early, and a reveal", n)
	}
}

// TestPledgeOfAnother: a folder that was copied to another hotkey is not acted on.
func TestPledgeOfAnother(t *testing.T) {
	f := newFake(t)
	other, err := subtensor.Pledge{Commitment: subtensor.Commitment{Account: f.hotkey(1), NetUID: 2}}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{kept: other}
	client := subtensor.New(f, 2, account(f.hotkey(0)))
	client.Pledges = m
	if _, err := client.Resume(t.Context()); err == nil || m.kept == nil || len(f.calls) != 0 {
		t.Errorf("%v, kept %x, calls %v", err, m.kept, f.calls)
	}
	m.kept = []byte("torn")
	if _, err := client.Resume(t.Context()); err == nil || m.kept != nil {
		t.Errorf("what is no pledge: %v, kept %x", err, m.kept)
	}
	if _, err := client.Resume(t.Context()); err != nil {
		t.Errorf("with nothing kept: %v", err)
	}
}

// TestRevealAfterRestart: over a socket, on a chain that demands commit and reveal, a
// process dies after its commit and another one reveals.
func TestRevealAfterRestart(t *testing.T) {
	keys := make([]*sign.Key, 2)
	var accounts []local.Account
	for i := range keys {
		var err error
		if keys[i], err = sign.FromSeed(targon.Secret{byte(i + 1)}); err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, local.Account{Hotkey: keys[i].Hotkey(), Stake: 1e12, Register: true})
	}
	chain, err := local.New(local.Config{
		NetUID: 4, Tempo: 199, Accounts: accounts, Rules: local.Rules{CommitReveal: true, RevealPeriod: 1, ActivityCutoff: 1 << 40},
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, done := serveNode(t, chain)
	defer done()
	// begin returns a client with a connection of its own, as a process has.
	begin := func(m *memory) (*subtensor.Client, func()) {
		line, err := rpc.Start(rpc.Config{Endpoints: []string{endpoint}})
		if err != nil {
			t.Fatal(err)
		}
		c := subtensor.New(line, 4, keys[0])
		c.Pledges = m
		return c, func() { _ = line.Close() }
	}

	// Blocks are made by hand, slowly enough for a busy machine, and not at all where
	// nobody looks.
	pause := pace(chain, 20*time.Millisecond)
	ctx, kill := context.WithCancel(t.Context())
	m := &memory{dieAt: 2, after: true, die: kill}
	first, hangUp := begin(m)
	vector := targon.Weights{{UID: 1, Value: 65535}}
	if err := first.SetWeights(ctx, vector); err == nil || len(m.kept) == 0 {
		t.Fatalf("the first process: %v, kept %x", err, m.kept)
	}
	if got, err := first.Weights(t.Context(), 0); err != nil || got != nil {
		t.Fatalf("before the reveal the chain shows %v, %v", got, err)
	}
	hangUp()
	pause()
	for at := chain.Step().Number; chain.Tempo().Index(at+1) == chain.Tempo().Index(at); {
		at = chain.Step().Number // to the end of the epoch of the commit
	}

	pause = pace(chain, 20*time.Millisecond)
	defer func() { pause() }()
	second, hangUp := begin(m)
	defer hangUp()
	within, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if revealed, err := second.Resume(within); err != nil || !revealed {
		t.Fatalf("the second process: revealed %v, %v", revealed, err)
	}
	if got, err := second.Weights(within, 0); err != nil || !reflect.DeepEqual(got, vector) || m.kept != nil {
		t.Errorf("after the restart the chain shows %v, %v; kept %x", got, err, m.kept)
	}
}

// serveNode answers for a chain on loopback until the function that it returns is called.
func serveNode(t *testing.T, chain *local.Chain) (endpoint string, done func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	life, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- local.NewNode(chain).Serve(life, l) }()
	return "ws://" + l.Addr().String(), func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// pace makes blocks until the function that it returns is called.
func pace(chain *local.Chain, every time.Duration) (pause func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(every):
				chain.Step()
			}
		}
	}()
	return func() { close(stop); <-ended }
}

// FuzzPledge: whatever is read back is written as the same bytes.
func FuzzPledge(f *testing.F) {
	b, err := subtensor.Pledge{
		Commitment: subtensor.Commitment{Account: targon.Hotkey{1}, NetUID: 2, UIDs: []uint16{3}, Values: []uint16{4}, Salt: []uint16{5, 6}, VersionKey: 7},
		Final:      true, Block: 8, Epoch: 9,
	}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var p subtensor.Pledge
		if p.UnmarshalBinary(b) != nil {
			return
		}
		if again, err := p.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is written as %x, %v", b, again, err)
		}
	})
}
