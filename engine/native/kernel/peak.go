package kernel

import (
	"math"
	"time"
)

// A Peak is what a processor core can do at most, as measured.
type Peak struct {
	// Lanes of float32 are in the widest registers that the kernel uses.
	Lanes int
	// Flops are floating-point operations a second: two for each lane of a fused
	// multiply-add, many of which run with nothing to wait for.
	Flops float64
	// Clock is in cycles a second, from additions that wait for each other.
	Clock float64
}

// Units is how many of the widest fused multiply-adds began in a cycle: the number of
// units when the processor did nothing else, less when it was disturbed.
func (p Peak) Units() float64 { return p.Flops / (2 * float64(p.Lanes) * p.Clock) }

// Share is the part of width × units × clock that was reached, the units being the
// nearest whole number, at least one.
func (p Peak) Share() float64 { return p.Units() / max(1, math.Round(p.Units())) }

// peakLoops measure a processor. A round of fma has perRound independent ones, a round
// of add addsPerRound dependent ones.
type peakLoops struct {
	lanes, perRound int
	fma, add        func(rounds int)
}

const addsPerRound = 64

// Peak measures for about d how fast one core can be with the widest instructions that
// the kernel uses. It is false for a kernel that uses none wider than one float32.
//
// Both loops run in turns of some microseconds and the fastest turn of each
// counts, so that other work on the machine matters little.
func (k *Kernel) Peak(d time.Duration) (Peak, bool) {
	l := k.peak
	if l.fma == nil {
		return Peak{}, false
	}
	const fmaRounds, addRounds, leastTurns = 4_000, 1_500, 25
	p := Peak{Lanes: l.lanes}
	for began, turn := time.Now(), 0; turn < leastTurns || time.Since(began) < d; turn++ {
		p.Clock = max(p.Clock, addRounds*addsPerRound/seconds(l.add, addRounds))
		p.Flops = max(p.Flops, 2*float64(l.lanes)*float64(l.perRound)*fmaRounds/seconds(l.fma, fmaRounds))
	}
	return p, true
}

func seconds(f func(int), n int) float64 {
	began := time.Now()
	f(n)
	return max(time.Since(began), 1).Seconds()
}
