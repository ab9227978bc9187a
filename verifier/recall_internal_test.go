package verifier

import (
	"encoding/binary"
	"testing"

	"targon"
)

// TestRecall: the last requests of users are known, and no more than that are kept.
func TestRecall(t *testing.T) {
	var r recall
	of := func(i int) (d targon.Digest) {
		binary.LittleEndian.PutUint64(d[:], uint64(i)+1)
		return d
	}
	if r.has(of(0)) {
		t.Error("an empty one knows something")
	}
	for i := range recallMax + 10 {
		r.add(of(i))
	}
	for i, want := range map[int]bool{0: false, 9: false, 10: true, recallMax - 1: true, recallMax + 9: true, recallMax + 10: false} {
		if r.has(of(i)) != want {
			t.Errorf("request %d: known %v, want %v", i, !want, want)
		}
	}
	if len(r.seen) != recallMax || len(r.ring) != recallMax {
		t.Errorf("%d and %d are kept, want %d", len(r.seen), len(r.ring), recallMax)
	}
}
