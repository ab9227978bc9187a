package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"targon"
)

// raoPerTAO is the chain's unit: nine decimals.
const raoPerTAO = 1_000_000_000

// parseTAO reads an amount in TAO, exactly.
func parseTAO(s string) (targon.Rao, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	if whole == "" || !digits(whole) || !digits(fraction) || len(fraction) > 9 || strings.HasSuffix(s, ".") {
		return 0, fmt.Errorf("--amount %q: want TAO with at most nine decimals, such as 1.5", s)
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 9-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("--amount %q: more than there is", s)
	}
	if n == 0 {
		return 0, fmt.Errorf("--amount %q: want more than nothing", s)
	}
	return targon.Rao(n), nil
}

// formatTAO writes an amount with all of its nine decimals.
func formatTAO(r targon.Rao) string { return fmt.Sprintf("%d.%09d", r/raoPerTAO, r%raoPerTAO) }

// parseWeights reads shares such as 1:0.3,2:0.7 into the vector that the chain takes,
// the largest share becoming 65535, as Bittensor's own tools do. Shares need no
// particular sum.
func parseWeights(s string) (targon.Weights, error) {
	bad := func(part string) (targon.Weights, error) {
		return nil, fmt.Errorf("--set: %q, want UID:SHARE with commas between, such as 1:0.3,2:0.7", part)
	}
	shares, top := map[targon.UID]float64{}, 0.0
	for part := range strings.SplitSeq(s, ",") {
		left, right, _ := strings.Cut(strings.TrimSpace(part), ":")
		uid, err := strconv.ParseUint(left, 10, 16)
		if err != nil {
			return bad(part)
		}
		share, err := strconv.ParseFloat(right, 64)
		if err != nil || share < 0 || math.IsInf(share, 0) || math.IsNaN(share) {
			return bad(part)
		}
		if _, twice := shares[targon.UID(uid)]; twice {
			return nil, fmt.Errorf("--set: uid %d is named twice", uid)
		}
		shares[targon.UID(uid)], top = share, max(top, share)
	}
	if top == 0 {
		return nil, fmt.Errorf("--set %q: every share is 0", s)
	}
	var out targon.Weights
	for uid, share := range shares {
		out = append(out, targon.Weight{UID: uid, Value: uint16(math.Round(share / top * math.MaxUint16))})
	}
	slices.SortFunc(out, func(a, b targon.Weight) int { return int(a.UID) - int(b.UID) })
	return out, nil
}
