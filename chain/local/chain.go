// Package local is a development chain: blocks at a pace of one's choosing, accounts,
// a subnet with registration, stake, axons and weights, and an epoch every tempo that
// pays for the weights. Node lets anybody in over a socket, in Substrate's JSON-RPC with
// Subtensor's names; a Client, without one, is for tests on a virtual clock.
//
// It follows Subtensor (spec 293) in what a client can see: metadata, storage,
// runtime APIs, events, when an epoch pays and what, what each call checks and in
// which order, how stored weights are scaled. It does not follow it in the rest: there
// is one subnet, without owner, root stake, delegation and a price of alpha, no
// consensus between nodes, no fees; every block is final at once; permits follow
// stake at once; loopback axons are welcome unless the rules say otherwise. The epoch
// is package yuma's, with all of the emission going to neurons. Calls are signed and
// checked, so that nobody can act for somebody else, even inside one process.
//
// The invariant: blocks are numbered without gaps and each hash commits to its
// parent and to the state, integers only; no map's order, clock or scheduling
// reaches the state. Equal configurations and equal calls in equal blocks give equal hashes.
package local

import (
	"context"
	"fmt"
	"sync"
	"time"

	"targon"
)

// Config describes a chain at its first block. Zero values take the default named.
type Config struct {
	NetUID    targon.NetUID
	Tempo     targon.Blocks // an epoch every Tempo+1 blocks; 360
	BlockTime time.Duration // pace of Run; 1 ms
	CatchUp   bool          // Run makes up for blocks that a busy machine was late with
	Start     time.Time     // of block 0, for the chain's clock; the beginning of 2025
	Sudo      targon.Hotkey // may change the rules, by Sudo.sudo; nobody may when zero
	Seed      targon.Secret // hidden in the state, so that no block's hash is known before
	Accounts  []Account
	Rules     Rules
}

// Account is what somebody owns at genesis.
type Account struct {
	Hotkey   targon.Hotkey
	Coldkey  targon.Hotkey // the hotkey itself when zero
	Balance  targon.Rao
	Stake    targon.Rao // on Hotkey
	Register bool       // a neuron from block 0, in the order of the list
}

// Rules are the subnet's hyperparameters. Zero values take the default named.
type Rules struct {
	MaxNeurons        int           // 256
	MaxValidators     int           // permits; 64
	MinAllowedWeights int           // 1
	MaxWeight         uint16        // largest share of a vector; 65535, which allows all
	Kappa             uint16        // stake needed for consensus; 32767
	ActivityCutoff    targon.Blocks // weights older than this do not count; 5000
	ImmunityPeriod    targon.Blocks // a newcomer is not replaced so long; 0
	RateLimit         targon.Blocks // between two set_weights; 0
	VersionKey        uint64        // least accepted; 0 accepts all
	MinStake          targon.Rao    // to set weights; 0
	Burn              targon.Rao    // cost of a registration; 0
	Emission          targon.Rao    // a block; 1 TAO
	ServingRateLimit  targon.Blocks // between two axons of a neuron, by extrinsic; 0
	CommitReveal      bool          // extrinsics commit weights and reveal them, and set none
	RevealPeriod      uint64        // epochs from commit to reveal; 1
	PublicAxons       bool          // loopback axons are refused, as on Subtensor
	PayStake          bool          // pay goes to a hotkey's stake, as on Subtensor; else to its balance

	BondsMovingAverage uint64 // of a million; 900000
	BondsPenalty       uint16 // of 65535; 65535
	Yuma3              bool   // else Yuma 2
	LiquidAlpha        bool   // with Yuma3
	AlphaLow           uint16 // of 65535; 45875
	AlphaHigh          uint16 // of 65535; 58982
	AlphaSteepness     int16  // hundredths; 1000
}

// The defaults are Subtensor's (runtime/src/lib.rs at 14bc6f9f), save for those that
// would make a development chain wait: immunity, rate limit, burn, and least weights.
func (c Config) withDefaults() Config {
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	r := &c.Rules
	or(&r.MaxNeurons, 256)
	or(&r.MaxValidators, 64)
	or(&r.MinAllowedWeights, 1)
	if c.BlockTime <= 0 {
		c.BlockTime = time.Millisecond
	}
	if c.Start.IsZero() {
		c.Start = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	if c.Tempo == 0 {
		c.Tempo = targon.EpochBlocks
	}
	if r.MaxWeight == 0 {
		r.MaxWeight = 65535
	}
	if r.Kappa == 0 {
		r.Kappa = 32767
	}
	if r.ActivityCutoff == 0 {
		r.ActivityCutoff = 5000
	}
	if r.Emission == 0 {
		r.Emission = 1e9
	}
	r.bondDefaults()
	return c
}

func (r *Rules) bondDefaults() {
	if r.BondsMovingAverage == 0 {
		r.BondsMovingAverage = 900_000
	}
	if r.RevealPeriod == 0 {
		r.RevealPeriod = 1
	}
	if r.BondsPenalty == 0 {
		r.BondsPenalty = 65535
	}
	if r.AlphaLow == 0 && r.AlphaHigh == 0 {
		r.AlphaLow, r.AlphaHigh = 45875, 58982
	}
	if r.AlphaSteepness == 0 {
		r.AlphaSteepness = 1000
	}
}

// Chain is a running development chain. Its methods may be called concurrently.
type Chain struct {
	netuid    targon.NetUID
	blockTime time.Duration
	genesis   targon.Digest // hash of block 0
	checks    checker       // of extrinsics that come at the same time
	catchUp   bool          // Run makes up for what it is late with

	mu      sync.Mutex
	state   *state
	pool    []*ticket       // calls for the next block, in order of arrival
	hashes  []targon.Digest // 32 bytes a block, by height: all that catching up needs
	grown   chan struct{}   // closed when the next block is there
	digest  targon.Digest   // of the state
	changed bool            // since digest was taken
	latest  *snapshot       // of the state, nil when it changed
	kept    kept            // newest blocks, for those who ask over a socket
	start   time.Time       // what block 0 says the time is
	journal *journal        // nil: the chain is forgotten
	lost    error           // why the journal is no longer whole
}

// New makes a chain whose block 0 is there at once.
func New(config Config) (*Chain, error) {
	config = config.withDefaults()
	s, err := newState(config)
	if err != nil {
		return nil, fmt.Errorf("make local chain: %w", err)
	}
	c := &Chain{
		netuid: config.NetUID, blockTime: config.BlockTime, state: s, grown: make(chan struct{}), changed: true, start: config.Start,
	}
	c.genesis = c.seal(targon.Digest{}, nil).Hash
	c.hashes = []targon.Digest{c.genesis}
	return c, nil
}

// Tempo says in which blocks the chain pays, as things are.
func (c *Chain) Tempo() targon.Tempo {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.rhythm()
}

// Run makes a block every BlockTime until ctx is done, and returns nil then.
func (c *Chain) Run(ctx context.Context) error {
	if c.catchUp {
		return c.keepPace(ctx)
	}
	ticker := time.NewTicker(c.blockTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C: // what a busy machine misses is left out
			c.Step()
			if err := c.broken(); err != nil {
				return err
			}
		}
	}
}

// maxDebt bounds for how long a chain that catches up makes blocks that it is late with.
// Clients could not follow a burst of more.
const maxDebt = 250 * time.Millisecond

// keepPace is Run for a chain that catches up.
func (c *Chain) keepPace(ctx context.Context) error {
	due := time.Now()
	for {
		due = following(due, time.Now(), c.blockTime)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
			c.Step()
			if err := c.broken(); err != nil {
				return err
			}
		}
	}
}

// following says when the block after the one that was due is due. What is late by more
// than maxDebt is left out.
func following(due, now time.Time, pace time.Duration) time.Time {
	due = due.Add(pace)
	if oldest := now.Add(-maxDebt); due.Before(oldest) {
		return oldest
	}
	return due
}

func (c *Chain) broken() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// Step makes one block: first the epoch, if it is due, then the waiting calls, as
// Subtensor runs its block step before the block's extrinsics.
func (c *Chain) Step() targon.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.block++
	if s.rhythm().Pays(s.block) {
		s.epoch(uint64(s.tempo) + 1)
		c.changed = true
	}
	var extrinsics [][]byte
	for _, t := range c.pool {
		s.account(t.call.signer).nonce++ // a refused call costs it too
		from := len(s.events)
		t.err = s.apply(t.call)
		t.block = s.block
		if t.call.raw == nil {
			s.events = s.events[:from] // events belong to extrinsics
		} else {
			extrinsics = append(extrinsics, t.call.raw)
			s.conclude(from, len(extrinsics), t.err)
		}
		c.changed = true
		close(t.done)
	}
	c.pool = nil
	h := c.seal(c.hashes[s.block-1], extrinsics)
	c.hashes = append(c.hashes, h.Hash)
	c.note(h, extrinsics)
	close(c.grown)
	c.grown = make(chan struct{})
	return h
}

// seal makes the present block: its header names its parent, its state and its
// extrinsics, and is hashed as Substrate hashes headers.
func (c *Chain) seal(parent targon.Digest, extrinsics [][]byte) targon.Header {
	if c.changed {
		c.digest, c.changed = c.state.digest(), false
		c.latest = nil
	}
	if c.latest == nil {
		c.latest = &snapshot{state: c.state.clone()}
	}
	b := &sealed{parent: parent, stateRoot: c.digest, extrinsics: extrinsics, events: c.state.events, snapshot: c.latest}
	c.state.events = nil
	root := label("targon/local/extrinsics/v1")
	for _, x := range extrinsics {
		root = append(u64(root, uint64(len(x))), x...)
	}
	b.extrinsicsRoot = sum(root)
	b.number = c.state.block
	h := targon.Header{Number: b.number, Hash: b.hash()}
	c.kept.add(h, b)
	return h
}

// at returns the header of a height, or a channel that is closed when the chain
// has grown.
func (c *Chain) at(n targon.Block) (h targon.Header, there bool, grown <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if uint64(n) >= uint64(len(c.hashes)) {
		return targon.Header{}, false, c.grown
	}
	return targon.Header{Number: n, Hash: c.hashes[n]}, true, nil
}

func (c *Chain) head() targon.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return targon.Header{Number: c.state.block, Hash: c.hashes[c.state.block]}
}
