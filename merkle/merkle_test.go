package merkle_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/merkle"
)

func Example() {
	leaves := []targon.Digest{merkle.Leaf([]byte("a")), merkle.Leaf([]byte("b")), merkle.Leaf([]byte("c"))}
	root := merkle.Root(leaves)
	path := merkle.Path(leaves, 2)
	fmt.Println(len(path), merkle.Verify(root, leaves[2], 2, 3, path), merkle.Verify(root, leaves[1], 2, 3, path))
	// Output: 1 true false
}

// Published: the leaves and roots that Certificate Transparency's own implementations
// are tested with.
func TestPublishedRoots(t *testing.T) {
	var leaves []targon.Digest
	for _, text := range []string{
		"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, merkle.Leaf(b))
	}
	for n, want := range []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	} {
		if got := merkle.Root(leaves[:n]).String(); got != want {
			t.Errorf("root of %d leaves is %s, want %s", n, got, want)
		}
	}
}

func numbered(n int) []targon.Digest {
	out := make([]targon.Digest, n)
	for i := range out {
		out[i] = merkle.Leaf([]byte{byte(i), byte(i >> 8)})
	}
	return out
}

// Every leaf of every small tree verifies where it is and nowhere else, by its own path
// and no shorter or longer one.
func TestPaths(t *testing.T) {
	for n := 1; n <= 33; n++ {
		leaves := numbered(n)
		root := merkle.Root(leaves)
		for i := range leaves {
			path := merkle.Path(leaves, i)
			for at := range uint32(n + 2) {
				if got, want := merkle.Verify(root, leaves[i], at, uint32(n), path), at == uint32(i); got != want {
					t.Errorf("leaf %d of %d at %d: %v", i, n, at, got)
				}
			}
			if len(path) > merkle.MaxPath || merkle.Verify(root, leaves[i], uint32(i), uint32(n), append(slices.Clip(path), root)) {
				t.Errorf("leaf %d of %d: too long a path verifies", i, n)
			}
			if n > 1 && merkle.Verify(root, leaves[i], uint32(i), uint32(n), path[:len(path)-1]) {
				t.Errorf("leaf %d of %d: too short a path verifies", i, n)
			}
		}
	}
	if merkle.Verify(merkle.Root(nil), targon.Digest{}, 0, 0, nil) {
		t.Error("something is in an empty tree")
	}
}

// No change of one bit anywhere goes unnoticed.
func TestTampering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := numbered(rapid.IntRange(1, 300).Draw(t, "leaves"))
		i := rapid.IntRange(0, len(leaves)-1).Draw(t, "index")
		root, leaf, path := merkle.Root(leaves), leaves[i], merkle.Path(leaves, i)
		if !merkle.Verify(root, leaf, uint32(i), uint32(len(leaves)), path) {
			t.Fatal("an honest path is refused")
		}
		digests := append([]*targon.Digest{&root, &leaf}, make([]*targon.Digest, 0, len(path))...)
		for j := range path {
			digests = append(digests, &path[j])
		}
		d := digests[rapid.IntRange(0, len(digests)-1).Draw(t, "digest")]
		d[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if merkle.Verify(root, leaf, uint32(i), uint32(len(leaves)), path) {
			t.Fatal("a changed path is taken")
		}
	})
}
