package challenge_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/challenge"
)

var root = targon.Secret{1, 2, 3}

func digest(n int) targon.Digest {
	return sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// TestDrawnDefinition computes a draw by hand, so that another implementation can.
func TestDrawnDefinition(t *testing.T) {
	secret := challenge.EpochSecret(root, 3)
	for i := range 200 {
		receipt, block := digest(i), digest(1000+i)
		mac := hmac.New(sha256.New, secret[:])
		label := "targon/challenge/draw/v1"
		for _, field := range [][]byte{[]byte(label), receipt[:], block[:]} {
			mac.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(field))))
			mac.Write(field)
		}
		share := float64(binary.BigEndian.Uint64(mac.Sum(nil))) / 0x1p64
		if got, want := challenge.Drawn(secret, receipt, block, 250_000), share < 0.25; got != want {
			t.Errorf("receipt %d: drawn %v, share %v", i, got, share)
		}
	}
}

// TestDrawnRate: with fixed inputs, each rate is met within four standard deviations.
func TestDrawnRate(t *testing.T) {
	const n = 40_000
	for _, ppm := range []uint32{0, 1_000, 100_000, 500_000, 990_000, 1_000_000, 2_000_000} {
		secret := challenge.EpochSecret(root, targon.Epoch(ppm))
		drawn := 0
		for i := range n {
			if challenge.Drawn(secret, digest(i), digest(0), ppm) {
				drawn++
			}
		}
		p := math.Min(1, float64(ppm)/1e6)
		if diff := math.Abs(float64(drawn) - n*p); diff > 4*math.Sqrt(n*p*(1-p)) {
			t.Errorf("rate %v: %d of %d drawn", p, drawn, n)
		}
	}
}

// TestDrawnDepends: secret, receipt and block each decide anew.
func TestDrawnDepends(t *testing.T) {
	const n = 2000
	same := [3]int{}
	for i := range n {
		s, r, b := challenge.EpochSecret(root, targon.Epoch(i)), digest(i), digest(-i)
		was := challenge.Drawn(s, r, b, 500_000)
		other := s
		other[31] ^= 1
		for k, now := range []bool{
			challenge.Drawn(other, r, b, 500_000),
			challenge.Drawn(s, digest(i+n), b, 500_000),
			challenge.Drawn(s, r, digest(-i-n), 500_000),
		} {
			if now == was {
				same[k]++
			}
		}
	}
	for k, c := range same {
		if math.Abs(float64(c)-n/2) > 4*math.Sqrt(n/4) {
			t.Errorf("argument %d: %d of %d draws stay", k, c, n)
		}
	}
}

// TestRaisingTheRateOnlyAdds: who is drawn at a rate is drawn at every higher one.
func TestRaisingTheRateOnlyAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		receipt, block := digest(rapid.Int().Draw(t, "receipt")), digest(rapid.Int().Draw(t, "block"))
		low := rapid.Uint32Range(0, 1_000_000).Draw(t, "low")
		high := rapid.Uint32Range(low, 1_000_000).Draw(t, "high")
		if challenge.Drawn(root, receipt, block, low) && !challenge.Drawn(root, receipt, block, high) {
			t.Fatal("a higher rate draws fewer")
		}
	})
}

func TestCommitment(t *testing.T) {
	s := challenge.EpochSecret(root, 1)
	if challenge.Commitment(s) != sha256.Sum256(s[:]) {
		t.Error("commitment is not the SHA-256 of the secret")
	}
	if s == challenge.EpochSecret(root, 2) || s == challenge.EpochSecret(targon.Secret{9}, 1) || s == root {
		t.Error("epoch secrets are not apart")
	}
}

// TestAddress: id, salt and seed are new in each of input, block, prover and index, and
// nothing else of the request comes from them.
func TestAddress(t *testing.T) {
	d := targon.Draft{Model: "m", Prompt: []targon.TokenID{1, 2}, Temperature: 1, TopK: 40, TopP: 0.9, MinP: 0.05, MaxTokens: 64}
	from, weights := targon.Hotkey{1}, targon.Digest{2}
	ids, salts, seeds := map[targon.RequestID]bool{}, map[targon.Salt]bool{}, map[uint64]bool{}
	n := 0
	for input := range 4 {
		for block := range 4 {
			for to := range byte(4) {
				for index := range uint64(4) {
					nonce := challenge.Nonce{Input: digest(input), Block: digest(100 + block), Index: index}
					r := challenge.Address(root, d, weights, from, targon.Hotkey{10 + to}, nonce)
					ids[r.ID], salts[r.Salt], seeds[r.Sampling.Seed] = true, true, true
					n++
					if r.Sampling.Seed > math.MaxInt64 {
						t.Errorf("seed %d does not fit a signed number", r.Sampling.Seed)
					}
					if err := r.Validate(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if len(ids) != n || len(salts) != n || len(seeds) != n {
		t.Errorf("%d ids, %d salts, %d seeds of %d requests", len(ids), len(salts), len(seeds), n)
	}

	nonce := challenge.Nonce{Input: digest(1), Block: digest(2), Index: 3}
	r := challenge.Address(root, d, weights, from, targon.Hotkey{10}, nonce)
	want := targon.Request{
		ID: r.ID, Salt: r.Salt, Verifier: from, Prover: targon.Hotkey{10}, Model: "m", Weights: weights,
		Prompt: []targon.TokenID{1, 2}, Sampling: targon.Sampling{Temperature: 1, Seed: r.Sampling.Seed, TopK: 40, TopP: 0.9, MinP: 0.05}, MaxTokens: 64,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if again := challenge.Address(root, d, weights, from, targon.Hotkey{10}, nonce); again.Digest() != r.Digest() {
		t.Error("the same nonce gives another request")
	}
	if other := challenge.Address(targon.Secret{}, d, weights, from, targon.Hotkey{10}, nonce); other.ID == r.ID ||
		other.Salt == r.Salt || other.Sampling.Seed == r.Sampling.Seed {
		t.Error("another root gives the same request")
	}
	d.Prompt[0] = 99
	if r.Prompt[0] != 1 {
		t.Error("the request shares the draft's prompt")
	}
}

// TestSeedBits: over fixed nonces, each of the 63 bits is set about half the time.
func TestSeedBits(t *testing.T) {
	const n = 4000
	var set [64]int
	d := targon.Draft{Model: "m", Prompt: []targon.TokenID{1}, MaxTokens: 1}
	for i := range uint64(n) {
		seed := challenge.Address(root, d, targon.Digest{}, targon.Hotkey{1}, targon.Hotkey{2}, challenge.Nonce{Index: i}).Sampling.Seed
		for b := range set {
			set[b] += int(seed >> b & 1)
		}
	}
	for b, c := range set[:63] {
		if math.Abs(float64(c)-n/2) > 4.5*math.Sqrt(n/4) {
			t.Errorf("bit %d is set in %d of %d", b, c, n)
		}
	}
}

// TestDue: equal shares, whatever the order of the list, and an order that is new in
// each round and under each secret.
func TestDue(t *testing.T) {
	if _, ok := challenge.Due(root, nil); ok {
		t.Error("asks nobody")
	}
	const provers, rounds = 7, 60
	run := func(secret targon.Secret, backwards bool) (order []targon.Hotkey) {
		counts := make([]challenge.Count, provers)
		for i := range counts {
			counts[i].Prover = targon.Hotkey{byte(i + 1)}
		}
		if backwards {
			slices.Reverse(counts)
		}
		for range rounds * provers {
			next, ok := challenge.Due(secret, counts)
			if !ok {
				t.Fatal("nobody is due")
			}
			order = append(order, next)
			low, high := uint64(math.MaxUint64), uint64(0)
			for i := range counts {
				if counts[i].Prover == next {
					counts[i].Asked++
				}
				low, high = min(low, counts[i].Asked), max(high, counts[i].Asked)
			}
			if high-low > 1 {
				t.Fatalf("counts from %d to %d", low, high)
			}
		}
		return order
	}
	order := run(root, false)
	if !slices.Equal(order, run(root, true)) {
		t.Error("the order of the list matters")
	}
	if slices.Equal(order, run(targon.Secret{9}, false)) {
		t.Error("the secret does not matter")
	}
	firsts := map[targon.Hotkey]int{}
	for i := range rounds {
		firsts[order[i*provers]]++
	}
	if len(firsts) != provers {
		t.Errorf("only %d of %d provers ever begin a round", len(firsts), provers)
	}
	newcomer := []challenge.Count{{Prover: targon.Hotkey{1}, Asked: 5}, {Prover: targon.Hotkey{2}, Asked: 4}}
	if next, _ := challenge.Due(root, newcomer); next != (targon.Hotkey{2}) {
		t.Error("who was asked least is not next")
	}
}

// TestDueDefinition computes one choice by hand, so that another implementation can.
func TestDueDefinition(t *testing.T) {
	var counts []challenge.Count
	var want targon.Hotkey
	lowest := ""
	for i := range byte(20) {
		c := challenge.Count{Prover: targon.Hotkey{i}, Asked: 6}
		mac := hmac.New(sha256.New, root[:])
		label := "targon/challenge/turn/v1"
		asked := binary.LittleEndian.AppendUint64(nil, c.Asked)
		for _, field := range [][]byte{[]byte(label), c.Prover[:], asked} {
			mac.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(field))))
			mac.Write(field)
		}
		if p := string(mac.Sum(nil)); i == 0 || p < lowest {
			lowest, want = p, c.Prover
		}
		counts = append(counts, c)
	}
	if got, ok := challenge.Due(root, counts); !ok || got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A verifier commits to a secret, asks, and after the fact anybody can repeat the draw.
func Example() {
	root := targon.Secret{42}
	secret := challenge.EpochSecret(root, 0)
	shownBefore := challenge.Commitment(secret)

	draft := targon.Draft{Model: "tiny", Prompt: []targon.TokenID{1, 5, 9}, Temperature: 1, MaxTokens: 64}
	nonce := challenge.Nonce{Input: targon.Digest{1}, Block: targon.Digest{2}, Index: 0}
	request := challenge.Address(root, draft, targon.Digest{3}, targon.Hotkey{4}, targon.Hotkey{5}, nonce)
	receipt := targon.ReceiptFor(request, []targon.TokenID{7, 2}, targon.FinishStop)

	later := targon.Digest{6} // the hash of a block that did not exist when the receipt was signed
	fmt.Println("drawn at 100 %:", challenge.Drawn(secret, receipt.Digest(), later, 1_000_000))
	fmt.Println("drawn at 50 %:", challenge.Drawn(secret, receipt.Digest(), later, 500_000))
	fmt.Println("secret kept its word:", challenge.Commitment(secret) == shownBefore)
	// Output:
	// drawn at 100 %: true
	// drawn at 50 %: true
	// secret kept its word: true
}
