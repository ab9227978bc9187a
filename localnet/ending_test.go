package localnet

import (
	"testing"
	"time"

	"targon"
	"targon/verifier"
)

// TestOver: a run ends with the block that pays for the weights of its last epoch, and
// not by weights that an earlier run has set.
func TestOver(t *testing.T) {
	const tempo = 11 // of subnet 4: blocks 6, 18, 30, 42, … pay
	for _, c := range []struct {
		name   string
		epochs uint64
		before uint64
		last   targon.Epoch
		views  []verifier.View
		over   []bool
	}{
		{"without end", 0, 0, 0, []verifier.View{{Set: 9, LastSet: 9, Height: 99}}, []bool{false}},
		{"nothing set", 1, 0, 0, []verifier.View{{Height: 99}}, []bool{false}},
		{"one epoch", 1, 0, 0, []verifier.View{{Height: 17}, {Set: 1, Height: 18}, {Set: 1, Height: 29}, {Set: 1, Height: 30}, {Set: 1, Height: 31}}, []bool{false, false, false, true, true}},
		{"set just before a payment", 1, 0, 0, []verifier.View{{Set: 1, Height: 17}, {Set: 1, Height: 18}}, []bool{false, true}},
		{"of three", 3, 0, 2, []verifier.View{{Set: 1, Height: 20}, {Set: 2, LastSet: 1, Height: 99}, {Set: 2, LastSet: 2, Height: 100}, {Set: 2, LastSet: 2, Height: 102}}, []bool{false, false, false, true}},
		{"resumed", 1, 3, 2, []verifier.View{{Set: 3, LastSet: 2, Height: 99}, {Set: 4, LastSet: 2, Height: 99}, {Set: 4, LastSet: 2, Height: 102}}, []bool{false, false, true}},
		{"resumed with a debt", 1, 3, 3, []verifier.View{{Set: 4, LastSet: 2, Height: 99}, {Set: 5, LastSet: 3, Height: 99}, {Set: 5, LastSet: 3, Height: 105}}, []bool{false, false, true}},
	} {
		n := &Network{cfg: Config{Epochs: c.epochs, Tempo: tempo}, before: c.before, last: c.last}
		for i, v := range c.views {
			if got := n.over(v); got != c.over[i] {
				t.Errorf("%s: at %+v: %v", c.name, v, got)
			}
		}
	}
}

// TestEnough: an epoch is held open for provers that answer and have not been audited
// enough, not for those that are silent, and for none of them for ever.
func TestEnough(t *testing.T) {
	type prover = verifier.ProverProgress
	full, short := prover{Asked: 9, Complete: 9, Audited: auditedPerEpoch}, prover{Asked: 9, Complete: 9, Audited: auditedPerEpoch - 1}
	silent, unasked := prover{Asked: 1}, prover{}
	const soon, later = longestEpoch/6 - 1, longestEpoch / 6
	for _, c := range []struct {
		name    string
		epochs  uint64
		epoch   targon.Epoch
		elapsed time.Duration
		provers []prover
		want    bool
	}{
		{"all have their share", 3, 1, 0, []prover{full, full}, true},
		{"one lacks an id", 3, 1, later, []prover{full, short}, false},
		{"one lacks an id at the last moment", 3, 1, longestEpoch - 1, []prover{short, full}, false},
		{"for ever", 3, 1, longestEpoch, []prover{short}, true},
		{"silent, but it may be slow", 3, 1, soon, []prover{full, silent}, false},
		{"silent", 3, 1, later, []prover{full, silent}, true},
		{"not asked", 3, 1, later, []prover{full, unasked}, false},
		{"not asked, for ever", 3, 1, longestEpoch, []prover{unasked}, true},
		{"its first answer is there", 3, 1, later, []prover{full, {Asked: 2, Complete: 1}}, false},
		{"nobody there", 3, 1, 0, nil, true},
		{"the last one", 3, 2, 0, []prover{full}, true},
		{"beyond the last one", 3, 3, 0, []prover{full}, false},
		{"beyond the last one, for ever", 3, 3, longestEpoch, []prover{full}, false},
		{"without end", 0, 99, 0, []prover{full}, true},
	} {
		n := &Network{cfg: Config{Epochs: c.epochs}, last: 2}
		if got := n.enough(verifier.Progress{Epoch: c.epoch, Elapsed: c.elapsed, Provers: c.provers}); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
