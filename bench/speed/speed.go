// Package speed measures how many ids the built-in engine generates and scores in a
// second of CPU time: for models of two sizes, number formats, kernels, threads and
// sequences at a time.
//
// It compares with nobody else (bench/llamacpp does) and decides nothing: figures are
// for people. Configurations of one model take turns and a figure is the median of its
// turns, so that a busy machine slows all of them and not one.
//
// Invariant: a hash of logits is that of one text, the same for every row of a model
// and type, so rows that should agree can be seen to agree. No two measured calls are
// given the same ids: an engine that keeps what it computed gains nothing here. An answer
// is as long whether it is alone or one of many. The portable kernel, which is there for
// its bits, has one turn.
package speed

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"targon"
	"targon/engine/native"
	"targon/engine/native/kernel"
)

// A Row is one configuration.
type Row struct {
	Model   string `json:"model"`
	Params  int    `json:"params"`
	Type    string `json:"type"`
	Kernel  string `json:"kernel"`
	Threads int    `json:"threads"`
	// Batch is how many sequences were decoded at a time.
	Batch int `json:"batch"`
	// Decode and Score are ids per second of CPU time, Ratio the second over the first.
	Decode float64 `json:"decode_tok_per_cpu_s"`
	Score  float64 `json:"score_tok_per_cpu_s"`
	Ratio  float64 `json:"ratio"`
	// PeakShare is the floating-point operations of the matrices alone, at Score, over
	// what the kernel's widest instructions were measured to do. It is 0 for matrices that
	// are multiplied in integers, and where that measurement is not to be trusted.
	PeakShare float64 `json:"peak_share"`
	// Logits is the SHA-256 of all logits of a fixed text, little-endian float32.
	Logits string `json:"logits_sha256"`
	// DecodeWall and ScoreWall are ids per second of elapsed time.
	DecodeWall float64 `json:"decode_tok_per_s"`
	ScoreWall  float64 `json:"score_tok_per_s"`
}

// A Report is all rows.
type Report struct {
	Rows []Row `json:"rows"`
}

// Options of a measurement.
type Options struct {
	// Budget is about how long the whole takes; each configuration is measured once
	// even if that takes longer.
	Budget time.Duration
	// Subjects are the models; nil: Subjects().
	Subjects []Subject
	// Peak tells how many floating-point operations in a second of one core a kernel's
	// widest instructions do, 0 if that is not known; nil: Peak.
	Peak func(kernel string) float64
	// Note is told what is about to be measured; nil: nobody is.
	Note func(what string)
}

// Run measures.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Subjects == nil {
		o.Subjects = Subjects()
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Peak == nil {
		o.Peak = Peak
	}
	var out Report
	started, peaks := time.Now(), map[string]float64{}
	for _, name := range kernel.Available() {
		peaks[name] = o.Peak(name)
	}
	for i, s := range o.Subjects {
		o.Note(fmt.Sprintf("%s %v", s.Model, s.Type))
		left := o.Budget - time.Since(started)
		rows, err := measure(ctx, s, left/time.Duration(len(o.Subjects)-i), peaks)
		if err != nil {
			return Report{}, fmt.Errorf("measure %s %v: %w", s.Model, s.Type, err)
		}
		out.Rows = append(out.Rows, rows...)
	}
	return out, nil
}

// A setting is one engine and what it showed.
type setting struct {
	engine  *native.Engine
	threads int
	batches []int
	logits  string
	score   turns
	decode  []turns // by batch
}

// turns are the figures of one configuration, a turn each.
type turns struct{ cpu, wall []float64 }

func (t *turns) add(tokens int, spent stopwatch) {
	t.cpu = append(t.cpu, float64(tokens)/spent.cpu.Seconds())
	t.wall = append(t.wall, float64(tokens)/spent.wall.Seconds())
}

// settings lists what is measured of a model: every kernel on one thread, the fastest
// also on two and with 16 sequences at a time, and with 64 on one thread.
func settings(m *native.Model) ([]*setting, error) {
	var out []*setting
	for i, name := range kernel.Available() {
		for threads := 1; threads <= 2; threads++ {
			if i > 0 && threads > 1 {
				continue
			}
			e, err := native.New(m, native.Options{Kernel: name, Threads: threads})
			if err != nil {
				return nil, err
			}
			s := &setting{engine: e, threads: threads, batches: []int{1}}
			switch {
			case i > 0: // the others are there to be compared
			case threads == 1:
				s.batches = []int{1, 16, 64}
			default:
				s.batches = []int{1, 16}
			}
			s.decode = make([]turns, len(s.batches))
			out = append(out, s)
		}
	}
	return out, nil
}

// mostTurns is how many figures a median is taken of at most.
const mostTurns = 9

// measure gives every setting its turns until the time is up.
func measure(ctx context.Context, subject Subject, budget time.Duration, peaks map[string]float64) ([]Row, error) {
	started := time.Now()
	m, err := subject.Load()
	if err != nil {
		return nil, err
	}
	all, err := settings(m)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.logits, err = hashLogits(ctx, s.engine); err != nil {
			return nil, err
		}
	}
	meter := &meter{text: NewText(m.Vocab())}
	timed := all[:0:0]
	for _, s := range all {
		first := meter.warm
		if s.engine.Kernel() == portable {
			first = meter.turn
		} else {
			timed = append(timed, s)
		}
		if err := first(ctx, s); err != nil {
			return nil, err
		}
	}
	for range mostTurns {
		begun := time.Now()
		for _, s := range timed {
			if err := meter.turn(ctx, s); err != nil {
				return nil, err
			}
		}
		if time.Since(started)+time.Since(begun) > budget {
			break
		}
	}
	var rows []Row
	for _, s := range all {
		for i, batch := range s.batches {
			r := Row{
				Model: subject.Model, Params: m.Parameters(), Type: subject.TypeName(), Kernel: s.engine.Kernel(),
				Threads: s.threads, Batch: batch, Logits: s.logits,
				Decode: Median(s.decode[i].cpu), DecodeWall: Median(s.decode[i].wall),
				Score: Median(s.score.cpu), ScoreWall: Median(s.score.wall),
			}
			r.Ratio = r.Score / r.Decode
			if p := peaks[r.Kernel]; p > 0 && subject.float() {
				r.PeakShare = 2 * float64(m.Multiplied()) * r.Score / p
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// leastPeak is the part of width × units × clock that a measured peak must reach to be
// one; below it the machine was too busy.
const leastPeak = 0.75

// Peak measures a kernel, or returns 0 if that cannot be done.
func Peak(name string) float64 {
	k, err := kernel.Select(name)
	if err != nil {
		return 0
	}
	p, ok := k.Peak(200 * time.Millisecond)
	if !ok || p.Share() < leastPeak {
		return 0
	}
	return p.Flops
}

// Median returns the middle of some figures, 0 of none.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// hashed is how many ids the logits are hashed of.
const hashed = 16

// hashLogits returns the SHA-256 of all logits of a text that depends on the number of
// ids alone.
func hashLogits(ctx context.Context, e *native.Engine) (string, error) {
	fixed := NewText(e.Model().Vocab())
	hash, row := sha256.New(), []byte(nil)
	err := e.Logits(ctx, fixed.Next(hashed), func(_ int, logits []float32) error {
		row = row[:0]
		for _, l := range logits {
			row = binary.LittleEndian.AppendUint32(row, math.Float32bits(l))
		}
		hash.Write(row)
		return nil
	})
	return hex.EncodeToString(hash.Sum(nil)), err
}

// A Text yields ids that look random and never the same run of them twice.
type Text struct {
	vocab int
	state uint64
}

// NewText returns the text for a number of ids that exist; it is always the same.
func NewText(vocab int) *Text { return &Text{vocab: vocab} }

// Next returns the next n ids.
func (t *Text) Next(n int) []targon.TokenID {
	ids := make([]targon.TokenID, n)
	for i := range ids {
		t.state = t.state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX
		ids[i] = targon.TokenID(t.state >> 33 % uint64(t.vocab))
	}
	return ids
}
