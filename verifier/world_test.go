package verifier_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"targon"
	"targon/noise"
	"targon/sign"
	"targon/verifier"
)

// The toy model: the logits of the next id are a hash of the last id and the position.
const toyVocab = 64

var (
	toyDigest = targon.ModelDigest(targon.Digest{1}, 1)
	errFault  = errors.New("fault of the test's making")
)

func toyLogits(before targon.TokenID, at int) []float32 {
	out := make([]float32, toyVocab)
	for id := 1; id < toyVocab; id++ {
		h := uint64(before)*0x9E3779B97F4A7C15 ^ uint64(at)*0xC2B2AE3D27D4EB4F ^ uint64(id)*0x165667B19E3779F9
		h ^= h >> 29
		h *= 0xBF58476D1CE4E5B9
		h ^= h >> 32
		out[id] = float32(h%4096)/1024 - 2
	}
	out[0] = -100 // the end of a sequence never wins
	return out
}

func toyAnswer(r targon.Request) []targon.TokenID {
	ids := slices.Clone(r.Prompt)
	for range r.MaxTokens {
		best, most := targon.TokenID(0), -1e9
		for id, l := range toyLogits(ids[len(ids)-1], len(ids)) {
			v := noise.Perturb(l, r.Sampling.Temperature, noise.Gumbel(r.Sampling.Seed, uint32(len(ids)), uint32(id)))
			if v > most {
				best, most = targon.TokenID(id), v
			}
		}
		ids = append(ids, best)
	}
	return ids[len(r.Prompt):]
}

// reference is the toy model as a verifier's reference, with a fault.
type reference struct {
	mu    sync.Mutex
	fault string // "", fails, lies, hangs, slow
	calls int
}

func (f *reference) set(fault string) { f.mu.Lock(); f.fault = fault; f.mu.Unlock() }

func (f *reference) Score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error) {
	f.mu.Lock()
	fault := f.fault
	f.calls++
	f.mu.Unlock()
	switch fault {
	case "fails":
		return targon.Scores{}, errFault
	case "slow":
		time.Sleep(second)
	case "hangs":
		<-ctx.Done()
		return targon.Scores{}, ctx.Err()
	}
	s := targon.Scores{Weights: toyDigest, Kernel: cmp.Or(fault, "toy"), Vocab: toyVocab, EOS: []targon.TokenID{0}}
	all := append(slices.Clone(r.Prompt), ids...)
	for j := range ids {
		at := len(r.Prompt) + j
		logits := toyLogits(all[at-1], at)
		if fault == "lies" {
			slices.Reverse(logits[1:])
		}
		p := targon.Position{Claimed: targon.Scored{ID: ids[j], Logit: logits[ids[j]]}}
		for id, l := range logits {
			p.Top = append(p.Top, targon.Scored{ID: targon.TokenID(id), Logit: l})
		}
		slices.SortStableFunc(p.Top, func(a, b targon.Scored) int { return -cmp.Compare(a.Logit, b.Logit) })
		p.Top = p.Top[:min(need.Top, toyVocab)]
		if j < len(need.Also) {
			for _, id := range need.Also[j] {
				p.Also = append(p.Also, targon.Scored{ID: id, Logit: logits[id]})
			}
		}
		s.Positions = append(s.Positions, p)
	}
	return s, nil
}

// prover is one of the other side.
type prover struct {
	key   *sign.Key
	uid   targon.UID
	kind  string        // honest, lying, silent, gone, busy, buffered, forged, ours
	takes time.Duration // for one answer
	signs uint32        // capacity; 0: none
}

// people are the provers, behind verifier.Asker.
type people struct {
	mu    sync.Mutex
	by    map[targon.Hotkey]*prover
	asked []targon.Request
}

func (p *people) Ask(ctx context.Context, n targon.Neuron, r targon.Request, _ func(targon.Token) error) (targon.Exchange, error) {
	p.mu.Lock()
	who := *p.by[r.Prover]
	p.asked = append(p.asked, r)
	p.mu.Unlock()
	x := targon.Exchange{UID: n.UID, Transcript: targon.Transcript{Request: r}}
	fail := func(s targon.Status) (targon.Exchange, error) { x.Status = s; return x, nil }
	switch who.kind {
	case "gone":
		return fail(targon.StatusGone)
	case "busy":
		return fail(targon.StatusBusy)
	case "ours":
		x.Status = targon.StatusOurs
		return x, errFault
	case "cut":
		<-ctx.Done()
		return fail(targon.StatusIncomplete)
	case "silent":
		<-ctx.Done()
		return fail(targon.StatusAborted)
	}
	begun := time.Now()
	select {
	case <-time.After(who.takes):
	case <-ctx.Done():
		return fail(targon.StatusAborted)
	}
	ids := toyAnswer(r)
	if who.kind == "foreign" {
		ids = foreignAnswer(r)
	}
	if who.kind == "lying" {
		ids[len(ids)/2] = ids[len(ids)/2]%(toyVocab-1) + 1
	}
	rec := targon.ReceiptFor(r, ids, targon.FinishLength)
	if who.kind != "forged" {
		rec.Signature, _ = who.key.Sign(rec.Message())
	}
	x.Status, x.Transcript.Tokens, x.Transcript.Receipt = targon.StatusComplete, ids, rec
	x.Timing = targon.Timing{First: who.takes / 10, Total: time.Since(begun), Burst: 60, Ended: time.Now().UnixMilli()}
	if who.kind == "buffered" {
		x.Timing.Burst = 1000
	}
	return x, nil
}

func (p *people) Capacity(_ context.Context, n targon.Neuron) (targon.Capacity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := targon.Capacity{Prover: n.Hotkey, Concurrent: p.by[n.Hotkey].signs}
	if c.Concurrent == 0 {
		return c, errFault
	}
	return c, nil
}

// chain makes a block a second from the moment it is made.
type chain struct {
	mu      sync.Mutex
	begun   time.Time
	base    targon.Block // height then
	self    targon.Hotkey
	neurons []targon.Neuron
	sets    []targon.Weights
	updated targon.Block
	fault   string // "", out, stalled, refuses, takes-and-fails
}

const second = time.Second

func (c *chain) set(fault string) { c.mu.Lock(); c.fault = fault; c.mu.Unlock() }

func blockHash(b targon.Block) targon.Digest {
	return sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("block"), uint64(b)))
}

func knownHash(b targon.Block) (targon.Digest, bool) { return blockHash(b), true }

func (c *chain) height() targon.Block { return c.base + targon.Block(time.Since(c.begun)/second) }

func (c *chain) faulty() string { c.mu.Lock(); defer c.mu.Unlock(); return c.fault }

func (c *chain) Blocks(ctx context.Context) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		next := c.height()
		for ctx.Err() == nil {
			if c.faulty() == "out" {
				yield(targon.Header{}, errFault)
				return
			}
			for c.faulty() != "stalled" && next <= c.height() {
				if !yield(targon.Header{Number: next, Hash: blockHash(next)}, nil) {
					return
				}
				next++
			}
			select {
			case <-ctx.Done():
			case <-time.After(second - time.Since(c.begun)%second):
			}
		}
	}
}

func (c *chain) Metagraph(context.Context) (targon.Metagraph, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == "out" {
		return targon.Metagraph{}, errFault
	}
	m := targon.Metagraph{Block: c.height(), Neurons: slices.Clone(c.neurons)}
	for i := range m.Neurons {
		if m.Neurons[i].Hotkey == c.self {
			m.Neurons[i].LastUpdate = c.updated
		}
	}
	return m, nil
}

func (c *chain) SetWeights(_ context.Context, w targon.Weights) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == "out" || c.fault == "refuses" {
		return errFault
	}
	if err := w.Validate(); err != nil {
		return err
	}
	c.sets, c.updated = append(c.sets, slices.Clone(w)), c.height()
	if c.fault == "takes-and-fails" {
		return errFault
	}
	return nil
}

// ledger keeps encodings, and dies after so many entries.
type ledger struct {
	mu     sync.Mutex
	stored [][]byte
	left   int  // entries until it dies; negative: never
	keeps  bool // the entry at which it dies is durable all the same
}

func (l *ledger) Append(_ context.Context, entries ...targon.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		b, err := e.MarshalBinary()
		if err != nil {
			return err
		}
		if l.left == 0 {
			if l.keeps {
				l.stored = append(l.stored, b)
				l.keeps = false
			}
			return errFault
		}
		l.left--
		l.stored = append(l.stored, b)
	}
	return nil
}

func (l *ledger) All(context.Context) iter.Seq2[targon.Entry, error] {
	l.mu.Lock()
	stored := slices.Clone(l.stored)
	l.mu.Unlock()
	return func(yield func(targon.Entry, error) bool) {
		for _, b := range stored {
			if !yield(targon.DecodeEntry(b)) {
				return
			}
		}
	}
}

func (l *ledger) entries(t *testing.T) []targon.Entry {
	t.Helper()
	var out []targon.Entry
	for e, err := range l.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// each yields entries as a ledger would.
func each(entries []targon.Entry) iter.Seq2[targon.Entry, error] {
	return func(yield func(targon.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// inputs is the source of private inputs.
type inputs struct {
	mu  sync.Mutex
	out bool
}

func (i *inputs) set(out bool) { i.mu.Lock(); i.out = out; i.mu.Unlock() }

func (i *inputs) Input(_ context.Context, b targon.Block) (targon.Digest, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.out {
		return targon.Digest{}, errFault
	}
	return sha256.Sum256(fmt.Append(nil, "input", b)), nil
}

// world is a verifier with everything around it, to be used inside a bubble.
type world struct {
	t        *testing.T
	chain    *chain
	ledger   *ledger
	people   *people
	fast     *reference
	portable *reference
	inputs   *inputs
	config   verifier.Config
	provers  []*prover
}

func key(t testing.TB, n int) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{byte(n), byte(n >> 8), 7})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newWorld has one prover of each kind, with UIDs from 1.
func newWorld(t *testing.T, kinds ...string) *world {
	t.Helper()
	self := key(t, 0).Hotkey()
	w := &world{
		t: t, chain: &chain{begun: time.Now(), base: 1000, self: self, neurons: []targon.Neuron{{UID: 0, Hotkey: self}}},
		ledger: &ledger{left: -1}, people: &people{by: map[targon.Hotkey]*prover{}},
		fast: &reference{}, portable: &reference{}, inputs: &inputs{},
	}
	for i, kind := range kinds {
		p := &prover{key: key(t, i+1), uid: targon.UID(i + 1), kind: kind, takes: 700 * time.Millisecond}
		if kind == "slow" {
			p.takes = 4500 * time.Millisecond // past the deadline
		}
		w.provers = append(w.provers, p)
		w.people.by[p.key.Hotkey()] = p
		w.chain.neurons = append(w.chain.neurons, targon.Neuron{
			UID: p.uid, Hotkey: p.key.Hotkey(), Axon: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(9000+i)),
		})
	}
	w.config = verifier.Config{
		Hotkey: self, Root: targon.Secret{9}, Model: "toy", Weights: toyDigest, Vocab: toyVocab,
		Chain: w.chain, Asker: w.people, Reference: w.fast, Portable: w.portable, Ledger: w.ledger, Inputs: w.inputs,
		Prompts: func(r *rand.Rand) targon.Draft {
			return targon.Draft{Prompt: []targon.TokenID{1, targon.TokenID(r.IntN(toyVocab))}, Temperature: 1, MaxTokens: 8}
		},
		AuditPPM: 500_000, Epoch: 5, BlockTime: second, Deadline: 4 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
	return w
}

// start runs a verifier until stop is called, which returns what Run did.
func (w *world) start() (v *verifier.Verifier, stop func() error) {
	w.t.Helper()
	v, err := verifier.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	return v, func() error { cancel(); return <-done }
}

// run lets a verifier work for a while and demands that it ends in peace.
func (w *world) run(d time.Duration) *verifier.Verifier {
	w.t.Helper()
	v, stop := w.start()
	time.Sleep(d)
	if err := stop(); err != nil {
		w.t.Fatalf("run: %v", err)
	}
	return v
}

// check is the auditor of every test: the ledger agrees with itself, with the chain's
// hashes, and with the sets that the chain saw.
func (w *world) check() verifier.Audit {
	w.t.Helper()
	entries := w.ledger.entries(w.t)
	audit, err := verifier.Recheck(each(entries), w.config.Policy, knownHash)
	if err != nil {
		w.t.Fatalf("recheck: %v", err)
	}
	judged, decided := map[targon.Digest]int{}, map[targon.Epoch]bool{}
	for _, e := range entries {
		switch e := e.(type) {
		case targon.Judged:
			judged[e.Verdict.Request]++
		case targon.WeightsDecided:
			decided[e.Epoch] = true
		}
	}
	for request, n := range judged {
		if n != 1 {
			w.t.Errorf("request %s has %d verdicts", request, n)
		}
	}
	w.chain.mu.Lock()
	defer w.chain.mu.Unlock()
	if len(w.chain.sets) > len(decided) {
		w.t.Errorf("chain took weights %d times for %d epochs", len(w.chain.sets), len(decided))
	}
	return audit
}

// reasons counts a prover's verdicts.
func reasons(v verifier.View, uid targon.UID) map[targon.Reason]uint64 {
	for _, p := range v.Provers {
		if p.UID == uid {
			return p.Reasons
		}
	}
	return nil
}

func of(t *testing.T, v verifier.View, uid targon.UID) verifier.ProverView {
	t.Helper()
	for _, p := range v.Provers {
		if p.UID == uid {
			return p
		}
	}
	t.Fatalf("no prover %d", uid)
	return verifier.ProverView{}
}
