package kernel

import (
	"testing"
	"time"
)

// TestPeak: something is measured. How near to the processor's limit a loaded machine
// gets is no test's business.
func TestPeak(t *testing.T) {
	p, rest := others(t)
	for _, k := range rest {
		got, ok := k.Peak(time.Millisecond)
		if !ok {
			t.Logf("%s does not tell its peak", k.name)
			continue
		}
		t.Logf("%s: %.1f Gflop/s, %.2f GHz, %.2f units, share %.2f", k.name, got.Flops/1e9, got.Clock/1e9, got.Units(), got.Share())
		if got.Lanes != 8 && got.Lanes != 16 || !(got.Clock > 0) || !(got.Flops > 0) || got.Clock > 1e11 || got.Flops > 1e14 {
			t.Errorf("%s: impossible peak %+v", k.name, got)
		}
	}
	if got, ok := p.Peak(0); ok {
		t.Errorf("portable has a peak: %+v", got)
	}
}

// TestPeakShare pins what a share is of.
func TestPeakShare(t *testing.T) {
	for _, tt := range []struct{ units, share float64 }{{2, 1}, {1.9, 0.95}, {1.5, 0.75}, {0.9, 0.9}, {0.2, 0.2}} {
		p := Peak{Lanes: 16, Clock: 1e9, Flops: 2 * 16 * 1e9 * tt.units}
		if got := p.Share(); got < tt.share-1e-9 || got > tt.share+1e-9 {
			t.Errorf("%v units: share %v, want %v", tt.units, got, tt.share)
		}
	}
}
