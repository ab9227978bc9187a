//go:build unix

package local

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"targon"
	"targon/chain/substrate"
	"targon/sign"
)

// processor is how much processor time this process has used. Unlike a clock it does not
// run while others have the machine.
func processor(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// judged is a subnet of 256 neurons of which 64 set a weight for every other one.
func judged(t testing.TB, rules Rules) *Chain {
	config := Config{NetUID: 4, Tempo: 1, Rules: rules}
	for i := range 256 {
		a := Account{Hotkey: targon.Hotkey{1, byte(i), byte(i >> 8)}, Register: true}
		if i < 64 {
			a.Stake = targon.Rao(1e12 + 17e9*i)
		}
		config.Accounts = append(config.Accounts, a)
	}
	c := newChain(t, config)
	c.Step()
	for i := range 64 {
		x := call{signer: config.Accounts[i].Hotkey}
		for j := range 256 {
			if j != i {
				x.uids, x.values = append(x.uids, uint16(j)), append(x.values, uint16((i*7919+j*104729)%65536))
			}
		}
		if err := c.state.setWeights(x); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// BenchmarkEpoch is an epoch of 256 neurons and 64 judges inside the chain, with the
// block around it and the hash of all that changed.
func BenchmarkEpoch(b *testing.B) {
	for _, rules := range []Rules{{}, {Yuma3: true}, {Yuma3: true, LiquidAlpha: true}} {
		b.Run(fmt.Sprintf("yuma3=%t,liquid=%t", rules.Yuma3, rules.LiquidAlpha), func(b *testing.B) {
			c := judged(b, rules)
			start, epochs := processor(b), 0
			for b.Loop() {
				for !c.Tempo().Pays(c.Step().Number) {
				}
				epochs++
			}
			b.ReportMetric((processor(b)-start).Seconds()*1000/float64(epochs), "cpu-ms/epoch")
		})
	}
}

// BenchmarkCheck is what an extrinsic costs before it is in the pool: read, signature
// and call checked; alone, and with 63 others that wait.
func BenchmarkCheck(b *testing.B) {
	m := Metadata()
	c := judged(b, Rules{})
	list := make([][]byte, 64)
	for i := range list {
		key := testKey(b, byte(i+1))
		raw, err := m.EncodeCall(subtensorPallet, "set_weights", record("netuid", 4, "dests", []uint16{1, 2, 3}, "weights", []uint16{1, 2, 3}, "version_key", 0))
		if err == nil {
			list[i], err = m.SignExtrinsic(key, raw, substrate.Terms{Spec: specVersion, Transaction: transactionVersion, Genesis: c.genesis, Start: c.genesis})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, together := range []int{1, 64} {
		b.Run(fmt.Sprintf("together=%d", together), func(b *testing.B) {
			start, done := processor(b), 0
			for b.Loop() {
				claims := make([]sign.Signed, together)
				for i := range claims {
					w, err := c.unwrap(m, list[i])
					if err != nil {
						b.Fatal(err)
					}
					claims[i] = w.claim
				}
				if together == 1 {
					if err := c.checks.verify(claims[0]); err != nil {
						b.Fatal(err)
					}
				} else if errs := sign.VerifyAll(claims); errs != nil {
					b.Fatal(errs)
				}
				done += together
			}
			b.ReportMetric(float64((processor(b)-start).Microseconds())/float64(done), "cpu-µs/extrinsic")
		})
	}
}
