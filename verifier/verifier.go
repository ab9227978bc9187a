// Package verifier runs one verifier: it asks provers, keeps their signed answers,
// draws which to audit, judges those, scores every prover, and sets weights.
//
// epoch.go is the loop and the file to read first. The order of the files is then
// that of the data: asking, arrivals, draw, judge, close, weights.
//
// What the package leaves to others: how a prover is reached ([Asker]), what a
// chain is ([Chain]), how a model is run ([Reference]), where entries are kept
// ([Ledger]). It decides nothing about a single answer either: that is package
// proof's, as evidence, score and weights decide about many.
//
// The invariant: everything that ends in weights is a fold of the ledger
// ([State]), so a verifier that was killed at any instruction goes on from a
// replay, and the same ledger gives the same weights, bit for bit. What a prover
// promised is durable before it is judged; what we owe to the chain is durable
// before it is sent. A failure of ours is an error or Undecided, never a verdict
// against a prover.
package verifier

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"targon"
	"targon/bundle"
	"targon/evidence"
	"targon/score"
)

// Chain is what a verifier needs of a chain.
type Chain interface {
	// Blocks yields finalised blocks, each once and in rising order, from the
	// newest on. It ends when ctx does, or with an error.
	Blocks(ctx context.Context) iter.Seq2[targon.Header, error]
	// Metagraph returns the subnet at a finalised block.
	Metagraph(ctx context.Context) (targon.Metagraph, error)
	// SetWeights returns nil once the chain has taken the weights. After an error
	// it may have taken them or not; Neuron.LastUpdate tells. A chain that also has
	//
	//	Weights(ctx context.Context, u targon.UID) (targon.Weights, error)
	//
	// for what a neuron last set is asked whether it took these weights or others.
	SetWeights(ctx context.Context, w targon.Weights) error
}

// Asker sends one request to one prover, and hands each id on as it comes if each is
// not nil. A deadline of ctx is the answer's; a cancelled ctx means that we went away.
// It returns an error only for a fault of ours. An asker that also has
//
//	Capacity(ctx context.Context, n targon.Neuron) (targon.Capacity, error)
//
// lets the verifier tell a prover that is busy above what it signed from one that
// is busy below it.
type Asker interface {
	Ask(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error)
}

// Reference scores claimed ids by running the model.
type Reference interface {
	Score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error)
}

// Ledger is the append-only record. Append returns nil once all entries are
// durable, in order; after an error some first part of them may be durable.
type Ledger interface {
	Append(ctx context.Context, entries ...targon.Entry) error
	All(ctx context.Context) iter.Seq2[targon.Entry, error]
}

// Inputs is the source of private inputs: one a block, known to nobody before it.
type Inputs interface {
	Input(ctx context.Context, b targon.Block) (targon.Digest, error)
}

// Prompts makes up a challenge. Equal sources give equal challenges; the source
// differs for every prover, private input, block and index.
type Prompts func(*rand.Rand) targon.Draft

// Config is everything that a verifier needs. Fields without a default must be
// set.
type Config struct {
	Hotkey  targon.Hotkey
	Root    targon.Secret // every epoch secret, seed, salt and prompt comes from it
	Model   string        // name of the model, for challenges
	Weights targon.Digest // digest of the model that provers must run
	Vocab   int           // how many ids it has

	Chain     Chain
	Asker     Asker
	Reference Reference // scores drawn answers
	Portable  Reference // scores again what Reference called a mismatch
	Ledger    Ledger
	Inputs    Inputs
	Prompts   Prompts
	Policy    score.Throughput
	// Packs are the stacks that are admitted besides the reference's own, see
	// evidence.Nulls: every answer is then judged by margins. Empty: provers must give
	// the reference's ids exactly.
	Packs []evidence.Pack

	AuditPPM    uint32        // audits per million receipts
	Repute      bool          // provers of little repute are audited more often, newcomers among them
	Epoch       targon.Blocks // least length of an epoch; default 360
	BlockTime   time.Duration // what the chain intends; default 12 s
	Deadline    time.Duration // for one answer; default 60 s
	ScoreTime   time.Duration // for one call of a reference; default 60 s
	Drain       time.Duration // for judgements under way when Run is told to end; default 2 s
	Pace        time.Duration // least time from one challenge to the next of the same prover; default 10 ms
	Concurrency int           // requests under way at one prover; default 1
	Auditors    int           // judgements under way; default 2
	Backlog     int           // drawn answers that may wait before challenges stop; default 8 for each auditor
	SpoolBytes  int64         // texts that may wait for their draw; default 256 MiB
	SpoolDir    string        // where they wait; empty: in memory
	Log         *slog.Logger  // default: discard

	// CloseEpoch is asked at every block from the epoch's length on and may hold
	// the epoch open by returning false. Nil closes it at its length.
	CloseEpoch func(Progress) bool
	// Observe is called with every entry once it is durable, in the ledger's order.
	// It must return soon and write nothing itself. Nil does nothing.
	Observe func(targon.Entry)
	// Bundles is handed every challenge that was judged on its merits, once its epoch is
	// closed, without a seal: failed ones first. It must return soon. Nil: none are kept.
	Bundles func(bundle.Bundle)
	// UserBundles is handed users' answers likewise. They are for the user who asked and
	// for nobody else. Nil: a user's text is gone with its verdict.
	UserBundles func(bundle.Bundle)
	BundleBytes int64 // of memory for what waits for that, each of both; default 64 MiB
}

// Errors of the verifier's own making.
var (
	// ErrConfig is the root of every reason why a Config makes no verifier.
	ErrConfig = errors.New("invalid verifier config")
	// ErrNotReady says that no epoch is open yet: nothing can be recorded. The
	// gateway serves without audit meanwhile.
	ErrNotReady = errors.New("no epoch is open yet")
	// ErrTwice says that this request has been recorded before.
	ErrTwice = errors.New("request is already on the ledger")
	// ErrRoot says that the ledger was written under another root secret.
	ErrRoot = errors.New("root secret does not match the ledger")
)

// Verifier is one verifier. Its methods may be called from any goroutine.
type Verifier struct {
	cfg      Config
	log      *slog.Logger
	spool    *spool
	journal  *journal
	exhibits exhibits
	favours  exhibits      // users' answers
	margins  *margins      // nil: ids are compared for equality
	asks     atomic.Uint64 // numbers requests, so that no two have one nonce
	running  atomic.Bool
	fresh    chan struct{} // holds a token while the setter has news to look at

	auditors chan struct{}  // holds a token for each judgement under way
	judging  sync.WaitGroup // judgements begun or waiting for a token
	backlog  atomic.Int64   // how many those are

	mu       sync.Mutex // guards everything below, and is never held over I/O
	state    *State     // folded by the journal alone
	meta     targon.Metagraph
	height   targon.Block                   // newest finalised block that has been acted on
	seen     time.Time                      // when it came
	epochAt  time.Time                      // when the current epoch was opened, or resumed
	hashes   map[targon.Block]targon.Digest // of the last hashMemory blocks
	input    targon.Digest                  // private input of block height
	fed      bool                           // input is that of block height
	stamped  map[targon.Digest]targon.Epoch // arrivals that are not in state yet
	waiting  []*pending                     // spooled arrivals, until their draw
	flights  map[targon.Hotkey]*flight      // requests under way at each prover
	children map[targon.UID]*child          // askers at work
}

// New checks the config and makes a verifier; Run starts it.
func New(c Config) (*Verifier, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.defaults()
	by, err := newMargins(c.Packs, c.Weights)
	if err != nil {
		return nil, err
	}
	sp, err := openSpool(c.SpoolDir, c.SpoolBytes)
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		exhibits: exhibits{limit: c.BundleBytes}, favours: exhibits{limit: c.BundleBytes}, cfg: c, log: c.Log, spool: sp, margins: by, fresh: make(chan struct{}, 1),
		auditors: make(chan struct{}, c.Auditors), state: NewState(c.Policy),
		hashes: map[targon.Block]targon.Digest{}, stamped: map[targon.Digest]targon.Epoch{},
		flights: map[targon.Hotkey]*flight{}, children: map[targon.UID]*child{},
	}
	v.journal = newJournal(c.Ledger, v.fold)
	return v, nil
}

func (c *Config) validate() error {
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{"hotkey", c.Hotkey == targon.Hotkey{}},
		{"root secret", c.Root == targon.Secret{}},
		{"model name", c.Model == ""},
		{"model digest", c.Weights == targon.Digest{}},
		{"vocabulary", c.Vocab <= 0},
		{"chain", c.Chain == nil},
		{"asker", c.Asker == nil},
		{"reference", c.Reference == nil},
		{"portable reference", c.Portable == nil},
		{"ledger", c.Ledger == nil},
		{"private inputs", c.Inputs == nil},
		{"prompts", c.Prompts == nil},
	} {
		if field.missing {
			return fmt.Errorf("%w: %s is missing", ErrConfig, field.name)
		}
	}
	if c.AuditPPM == 0 || c.AuditPPM > 1_000_000 {
		return fmt.Errorf("%w: audit rate of %d per million, want 1 to 1000000", ErrConfig, c.AuditPPM)
	}
	return nil
}

func (c *Config) defaults() {
	c.Epoch = orElse(c.Epoch, targon.EpochBlocks)
	c.BlockTime = orElse(c.BlockTime, 12*time.Second)
	c.Deadline = orElse(c.Deadline, time.Minute)
	c.ScoreTime = orElse(c.ScoreTime, time.Minute)
	c.Drain = orElse(c.Drain, 2*time.Second)
	c.Pace = orElse(c.Pace, breath)
	c.Concurrency = orElse(c.Concurrency, 1)
	c.Auditors = orElse(c.Auditors, 2)
	c.Backlog = orElse(c.Backlog, 8*c.Auditors)
	c.BundleBytes = orElse(c.BundleBytes, 64<<20)
	c.SpoolBytes = orElse(c.SpoolBytes, 256<<20)
	c.Log = orElse(c.Log, slog.New(slog.DiscardHandler))
	if c.CloseEpoch == nil {
		c.CloseEpoch = func(Progress) bool { return true }
	}
	if c.Observe == nil {
		c.Observe = func(targon.Entry) {}
	}
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// fold is called by the journal, for entries that are durable.
func (v *Verifier) fold(entries []targon.Entry) error {
	if err := v.apply(entries); err != nil {
		return err
	}
	for _, e := range entries {
		v.cfg.Observe(e)
	}
	return nil
}

func (v *Verifier) apply(entries []targon.Entry) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range entries {
		if err := v.state.Apply(e); err != nil {
			return fmt.Errorf("fold own entry: %w", err)
		}
	}
	return nil
}
