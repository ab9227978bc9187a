package main

import (
	"bytes"
	"testing"

	"targon"
	"targon/evidence"
)

// TestOwnPack: the built-in pack is at hand for verdicts that were held against it, and
// against nothing else.
func TestOwnPack(t *testing.T) {
	p, err := evidence.ReadPack(bytes.NewReader(builtinPack()))
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	other := targon.Null{Pack: targon.Digest{1}}
	for name, c := range map[string]struct {
		nulls []targon.Null
		pack  []byte
		want  bool
	}{
		"held against it":           {[]targon.Null{{Pack: d}}, builtinPack(), true},
		"held against another":      {[]targon.Null{other}, builtinPack(), false},
		"held against several":      {[]targon.Null{{Pack: d}, other}, builtinPack(), false},
		"held against none":         {nil, builtinPack(), false},
		"a build without a pack":    {[]targon.Null{{Pack: d}}, nil, false},
		"a build with a broken one": {[]targon.Null{{Pack: d}}, []byte("{"), false},
	} {
		if got := ownPack(targon.Verdict{Nulls: c.nulls}, c.pack); (got != nil) != c.want {
			t.Errorf("%s: %v", name, got != nil)
		}
	}
}
