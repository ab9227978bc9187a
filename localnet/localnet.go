// Package localnet runs a whole network in one process: a development chain,
// honest and cheating provers, a verifier, a gateway, a status page and a user.
//
// `targon up` and the system tests use it, through the same constructors (package
// node) and over the same sockets as a network of many machines. It decides
// nothing: whether a cheat is found out is the verifier's business, and this
// package only reports it.
//
// cast.go holds the cheats; network.go, how the parts are put together.
package localnet

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"targon"
	"targon/engine/native"
	"targon/evidence"
)

// Audited ids that every prover shall have by the end of an epoch, if it answers in
// full: a third of the 800 over three epochs that the figures are stated for.
const auditedPerEpoch = 267

// The longest that an epoch is held open for them.
const longestEpoch = 30 * time.Second

// Config says what network to run. Zero values mean the defaults named.
type Config struct {
	Model    *native.Model // what provers claim to run; required
	Epochs   uint64        // stop after so many; 0: when the context ends
	Seed     *uint64       // fixes all secrets; nil: random ones
	Honest   int           // honest provers; of three or more the last is slow
	Cheats   []string      // names that SplitCheats knows
	AuditPPM uint32        // audits per million answers
	// Packs has answers judged by margins, against these; none: ids must be equal.
	Packs     []evidence.Pack
	Bundles   string        // folder for audited challenges that anyone may check again; empty: none
	BlockTime time.Duration // 250 ms
	Tempo     uint16        // blocks between two payments, less one
	// CommitReveal has weights committed to and revealed an epoch of the chain later, as
	// many subnets demand.
	CommitReveal bool
	Kernel       string       // of the engines; empty: the fastest
	Cores        int          // to compute on, see SpareScheduling; 0: GOMAXPROCS
	Listen       string       // of gateway and status page; 127.0.0.1:0
	Dir          string       // keeps ledger and chain; empty: a temporary folder
	Started      time.Time    // when the program began, for the first figure it prints
	Progress     io.Writer    // for people, while it runs; nil: nowhere
	Log          *slog.Logger // nil: nowhere
}

// ErrConfig is the root of every reason why a Config makes no network.
var ErrConfig = errors.New("invalid network")

func (c *Config) check() error {
	switch {
	case c.Model == nil:
		return fmt.Errorf("%w: no model", ErrConfig)
	case c.Honest < 0 || c.Honest+len(c.Cheats) == 0:
		return fmt.Errorf("%w: no provers: ask for at least one", ErrConfig)
	case c.Honest+len(c.Cheats) > maxProvers:
		return fmt.Errorf("%w: %d provers in one process, at most %d", ErrConfig, c.Honest+len(c.Cheats), maxProvers)
	case c.AuditPPM == 0 || c.AuditPPM > 1_000_000:
		return fmt.Errorf("%w: audit rate of %d per million, want 1 to 1000000: nothing is proven without audits", ErrConfig, c.AuditPPM)
	case c.BlockTime < 0 || c.BlockTime > 0 && c.BlockTime < time.Millisecond:
		return fmt.Errorf("%w: block time of %v, want at least 1ms", ErrConfig, c.BlockTime)
	}
	if c.BlockTime == 0 {
		c.BlockTime = 250 * time.Millisecond
	}
	if c.Tempo == 0 {
		c.Tempo = 11
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Started.IsZero() {
		c.Started = time.Now()
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// SpareScheduling lets the Go scheduler of this process run a few goroutines more than
// there are cores, and returns how many cores there are to compute on. Without it,
// while every core computes, nobody looks at the network for up to 10 ms at a time:
// ids arrive in clots, and a stream's timing tells of the scheduler instead of the
// prover. A program calls it once, at its start.
func SpareScheduling() (cores int) {
	const spare = 2
	cores = runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(cores + spare)
	return cores
}

const netUID targon.NetUID = 4

const maxProvers = 64

// seat is one prover of the cast.
type seat struct {
	name  string // of its key, and for people
	cheat string // empty: honest
	slow  bool
}

// seats lists the cast: honest provers first, then the cheats in the order given.
func (c Config) seats() []seat {
	var out []seat
	for i := range c.Honest {
		s := seat{name: fmt.Sprintf("honest %d", i+1)}
		if i >= 2 && i == c.Honest-1 {
			s.name, s.slow = "honest, half speed", true
		}
		out = append(out, s)
	}
	for _, cheat := range c.Cheats {
		out = append(out, seat{name: label(cheat), cheat: cheat})
	}
	return out
}
