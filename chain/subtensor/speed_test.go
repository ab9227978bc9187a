//go:build unix

package subtensor_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"targon"
	"targon/chain/subtensor"
)

// processor is how much processor time this process has used. Unlike a clock it does not
// run while others have the machine.
func processor(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// prepared is a fake node that gives one answer to every runtime API without work.
type prepared struct {
	*fake
	raw []byte
}

func (p prepared) StateCall(context.Context, string, []byte, targon.Digest) ([]byte, error) {
	return p.raw, nil
}

// crowd is a client of a subnet of 256 neurons, whose node costs nothing.
func crowd(t testing.TB) *subtensor.Client {
	t.Helper()
	f := newFake(t)
	for i, field := range f.whole {
		if list, ok := field.Value.([]any); ok && len(list) == 5 && field.Name != "name" {
			var long []any
			for len(long) < 256 {
				long = append(long, list...)
			}
			f.whole[i].Value = long[:256]
		}
	}
	indexes := []any{}
	for _, name := range []string{"netuid", "tempo", "hotkeys", "coldkeys", "axons", "validator_permit", "last_update", "emission", "dividends", "incentives", "total_stake"} {
		i, _ := f.api.Index(name)
		indexes = append(indexes, uint64(i))
	}
	raw, err := f.api.EncodeResult("SubnetInfoRuntimeApi_get_selective_metagraph", f.chosen(indexes))
	if err != nil {
		t.Fatal(err)
	}
	return subtensor.New(prepared{f, raw}, 2, nil)
}

func readCrowd(t testing.TB, c *subtensor.Client) {
	t.Helper()
	if m, err := c.Metagraph(t.Context()); err != nil || len(m.Neurons) != 256 {
		t.Fatalf("%d neurons, %v", len(m.Neurons), err)
	}
}

// TestSpeed: a subnet of 256 neurons costs the client at most 20 ms of processor time.
func TestSpeed(t *testing.T) {
	c := crowd(t)
	const times = 20
	start := processor(t)
	for range times {
		readCrowd(t, c)
	}
	took := (processor(t) - start) / times
	t.Logf("a metagraph of 256 neurons takes %v of processor time", took)
	if took > 20*time.Millisecond {
		t.Errorf("%v, want at most 20ms", took)
	}
}

func BenchmarkMetagraph(b *testing.B) {
	c := crowd(b)
	start := processor(b)
	for b.Loop() {
		readCrowd(b, c)
	}
	b.ReportMetric(float64((processor(b)-start).Microseconds())/1000/float64(b.N), "cpu-ms/metagraph")
}
