package localnet

import (
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/prover"
)

// TestTiming: a buffered answer comes when the last id is drawn, and one at half
// speed takes twice as long.
func TestTiming(t *testing.T) {
	const step = 10 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		at := func(e prover.Engine) []time.Duration {
			var out []time.Duration
			begun := time.Now()
			for range e.Generate(t.Context(), targon.Request{}) {
				out = append(out, time.Since(begun))
			}
			return out
		}
		for _, c := range []struct {
			name string
			got  []time.Duration
			want []time.Duration
		}{
			{"honest", at(timed(step)), []time.Duration{step, 2 * step, 3 * step}},
			{"buffer", at(buffering{timed(step)}), []time.Duration{3 * step, 3 * step, 3 * step}},
			{"half speed", at(halfSpeed{timed(step)}), []time.Duration{2 * step, 4 * step, 6 * step}},
		} {
			for i := range c.want {
				if len(c.got) != len(c.want) || c.got[i] != c.want[i] {
					t.Errorf("%s: ids come at %v, want %v", c.name, c.got, c.want)
					break
				}
			}
		}
	})
}
