package substrate

import (
	"math/bits"

	"targon/scale"
)

// Era is the span of blocks in which an extrinsic may be included. The zero value
// is immortal. Source: sp_runtime::generic::Era of Substrate.
type Era struct{ Period, Phase uint64 }

// DefaultPeriod is the lifetime that wallets give an extrinsic, in blocks.
const DefaultPeriod = 64

// Mortal returns the era of at least period blocks (a power of two from 4 to 65536 is
// made of it) that is current in block.
func Mortal(period, block uint64) Era {
	period = min(max(period, 4), 1<<16)
	period = 1 << bits.Len64(period-1)
	step := max(period>>12, 1)
	return Era{period, block % period / step * step}
}

// Immortal reports whether the era has no end.
func (e Era) Immortal() bool { return e.Period == 0 }

// Birth returns the first block of the era's turn that contains block; its hash is
// signed. For an immortal era it is 0, the genesis.
func (e Era) Birth(block uint64) uint64 {
	if e.Immortal() {
		return 0
	}
	return (max(block, e.Phase)-e.Phase)/e.Period*e.Period + e.Phase
}

// Death returns the first block in which the extrinsic is no longer accepted. Only
// a mortal era has one.
func (e Era) Death(block uint64) uint64 { return e.Birth(block) + e.Period }

func (e Era) write(w *scale.Writer) {
	if e.Immortal() {
		w.U8(0)
		return
	}
	low := uint16(min(max(bits.TrailingZeros64(e.Period)-1, 1), 15))
	w.U16(low | uint16(e.Phase/max(e.Period>>12, 1))<<4)
}

func readEra(r *scale.Reader) Era {
	first := r.U8()
	if first == 0 || r.Err() != nil {
		return Era{}
	}
	coded := uint64(first) | uint64(r.U8())<<8
	period := uint64(2) << (coded & 15)
	phase := coded >> 4 * max(period>>12, 1)
	if r.Err() == nil && (period < 4 || phase >= period) {
		r.Fail("era %#04x", coded)
	}
	return Era{period, phase}
}
