// Package merkle binds a list of leaves by one digest, and proves with a short path that
// a leaf is one of them.
//
// It does not say what a leaf is or in which order they come: whoever makes the list
// does (docs/PROTOCOL.md). The tree is that of RFC 6962, section 2.1: leaves and inner
// nodes are hashed under different prefixes, so neither can pass for the other, and a
// list of any length has exactly one tree.
//
// Invariant: for a given root and number of leaves, one leaf at most verifies at each
// index, unless somebody finds a collision of SHA-256.
package merkle

import (
	"crypto/sha256"
	"math/bits"

	"targon"
)

// Prefixes keep leaves and inner nodes apart (RFC 6962, section 2.1).
const (
	leafPrefix = 0
	nodePrefix = 1
)

// MaxPath is the length of the longest path: of 2^32 leaves.
const MaxPath = 32

// Leaf returns the hash of a leaf.
func Leaf(b []byte) targon.Digest {
	h := sha256.New()
	h.Write([]byte{leafPrefix})
	h.Write(b)
	var out targon.Digest
	h.Sum(out[:0])
	return out
}

func node(left, right targon.Digest) targon.Digest {
	var b [65]byte
	b[0] = nodePrefix
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}

// Root returns the digest that binds hashed leaves in their order. That of none is the
// hash of nothing.
func Root(leaves []targon.Digest) targon.Digest {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := split(len(leaves))
	return node(Root(leaves[:k]), Root(leaves[k:]))
}

// split returns the largest power of two below n.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// Path returns the hashes that lead from leaf i to the root, from the leaf up. The index
// must be one of leaves.
func Path(leaves []targon.Digest, i int) []targon.Digest {
	if len(leaves) == 1 {
		return nil
	}
	if k := split(len(leaves)); i < k {
		return append(Path(leaves[:k], i), Root(leaves[k:]))
	} else {
		return append(Path(leaves[k:], i-k), Root(leaves[:k]))
	}
}

// Verify reports whether a path leads from a hashed leaf at index i of n to root
// (RFC 9162, section 2.1.3.2).
func Verify(root, leaf targon.Digest, i, n uint32, path []targon.Digest) bool {
	if i >= n {
		return false
	}
	at, last, got := i, n-1, leaf
	for _, p := range path {
		switch {
		case last == 0:
			return false // longer than the tree is high
		case at&1 == 1 || at == last:
			got = node(p, got)
			for at&1 == 0 && at != 0 { // levels at which the leaf's side stood alone
				at, last = at>>1, last>>1
			}
		default:
			got = node(got, p)
		}
		at, last = at>>1, last>>1
	}
	return last == 0 && got == root
}
