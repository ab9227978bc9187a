package gateway

import (
	"encoding/binary"
	"fmt"
	"testing"

	"targon"
)

// TestClaims: of a key the last answers are known, each by both of its names, and no more
// than that are kept.
func TestClaims(t *testing.T) {
	var c claims
	names := func(i int) claim { return claim{fmt.Sprintf("receipt %d", i), fmt.Sprintf("answer %d", i)} }
	request := func(i int) (d targon.Digest) {
		binary.LittleEndian.PutUint64(d[:], uint64(i)+1)
		return d
	}
	if _, ok := c.find("receipt 0"); ok {
		t.Error("an empty one knows something")
	}
	for i := range mostClaims + 10 {
		c.add(names(i), request(i))
	}
	for i, want := range map[int]bool{0: false, 9: false, 10: true, mostClaims - 1: true, mostClaims + 9: true, mostClaims + 10: false} {
		for _, name := range []string{names(i).receipt, names(i).answer} {
			if d, ok := c.find(name); ok != want || ok && d != request(i) {
				t.Errorf("%s: known %v as %s, want %v", name, ok, d, want)
			}
		}
	}
	if len(c.by) != 2*mostClaims || len(c.ring) != mostClaims {
		t.Errorf("%d names of %d answers are kept, want %d", len(c.by), len(c.ring), mostClaims)
	}
}
