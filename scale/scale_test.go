package scale_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"targon/scale"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The first rows are the examples of docs.substrate.io, "Type encoding (SCALE)";
// the others are the edges of the four forms.
func TestCompact(t *testing.T) {
	for _, c := range []struct {
		v    uint64
		want string
	}{
		{0, "00"},
		{1, "04"},
		{42, "a8"},
		{69, "1501"},
		{65535, "feff0300"},
		{100000000000000, "0b00407a10f35a"},
		{63, "fc"},
		{64, "0101"},
		{1<<14 - 1, "fdff"},
		{1 << 14, "02000100"},
		{1<<30 - 1, "feffffff"},
		{1 << 30, "0300000040"},
		{math.MaxUint32, "03ffffffff"},
		{1 << 32, "070000000001"},
		{math.MaxUint64, "13ffffffffffffffff"},
	} {
		var w scale.Writer
		w.Compact(c.v)
		if got := hex.EncodeToString(w.Bytes()); got != c.want {
			t.Errorf("compact %d is %s, want %s", c.v, got, c.want)
		}
		r := scale.NewReader(unhex(t, c.want))
		if got := r.Compact(); got != c.v || r.Done() != nil {
			t.Errorf("%s reads as %d (%v), want %d", c.want, got, r.Err(), c.v)
		}
		r = scale.NewReader(unhex(t, c.want))
		if got := r.CompactBig(16); got.Cmp(new(big.Int).SetUint64(c.v)) != 0 || r.Done() != nil {
			t.Errorf("%s reads as big %d (%v), want %d", c.want, got, r.Err(), c.v)
		}
	}
}

func TestCompactBig(t *testing.T) {
	max128 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	var w scale.Writer
	w.CompactBig(max128)
	if got, want := hex.EncodeToString(w.Bytes()), "33ffffffffffffffffffffffffffffffff"; got != want {
		t.Errorf("compact 2^128-1 is %s, want %s", got, want)
	}
	r := scale.NewReader(w.Bytes())
	if got := r.CompactBig(16); got.Cmp(max128) != 0 || r.Done() != nil {
		t.Errorf("reads as %d (%v)", got, r.Err())
	}
	longest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 536), big.NewInt(1))
	w = scale.Writer{}
	w.CompactBig(longest)
	r = scale.NewReader(w.Bytes())
	if got := r.CompactBig(67); got.Cmp(longest) != 0 || r.Done() != nil || w.Bytes()[0] != 0xff {
		t.Errorf("the longest reads as %d (%v)", got, r.Err())
	}
	defer func() {
		if recover() == nil {
			t.Error("2^536 was written")
		}
	}()
	w.CompactBig(new(big.Int).Add(longest, big.NewInt(1)))
}

func TestRefuses(t *testing.T) {
	compact := func(r *scale.Reader) { r.Compact() }
	compact128 := func(r *scale.Reader) { r.CompactBig(16) }
	for _, c := range []struct {
		name, hex string
		read      func(*scale.Reader)
		short     bool
	}{
		{"nothing", "", compact, true},
		{"63 in two bytes", "fd00", compact, false},
		{"64-1 in two bytes", "f900", compact, false},
		{"16383 in four bytes", "feff0000", compact, false},
		{"2^30-1 in five bytes", "03ffffff3f", compact, false},
		{"2^32-1 in six bytes", "07ffffffff00", compact, false},
		{"nine bytes", "17000000000000000001", compact, false},
		{"two bytes cut", "01", compact, true},
		{"four bytes cut", "020001", compact, true},
		{"big cut", "0300000", compact, true},
		{"2^64-1 in nine bytes", "17ffffffffffffffff00", compact128, false},
		{"17 bytes in a u128", "370000000000000000000000000000000001", compact128, false},
		{"u16 too large", "02000400", func(r *scale.Reader) { r.CompactBig(2) }, false},
		{"big nine cut", "1700", compact128, true},
		{"flag 2", "02", func(r *scale.Reader) { r.Bool() }, false},
		{"option 2", "0200", func(r *scale.Reader) { scale.ReadOption(r, (*scale.Reader).U8) }, false},
		{"left over", "0000", func(r *scale.Reader) { r.U8() }, false},
		{"u64 cut", "00000000000000", func(r *scale.Reader) { r.U64() }, true},
		{"list longer than the rest", "0c0000", func(r *scale.Reader) { r.Len() }, true},
		{"list of 2^64-1", "13ffffffffffffffff", func(r *scale.Reader) { scale.ReadVec(r, (*scale.Reader).U8) }, true},
		{"list of u16 cut", "0800000000"[:8], func(r *scale.Reader) { scale.ReadVec(r, (*scale.Reader).U16) }, true},
		{"text not UTF-8", "04ff", func(r *scale.Reader) { _ = r.Str() }, false},
		{"stray bit", "0c08", func(r *scale.Reader) { r.BitVec() }, false},
		{"bits cut", "2400", func(r *scale.Reader) { r.BitVec() }, true},
		{"bits without end", "13ffffffffffffffff00", func(r *scale.Reader) { r.BitVec() }, true},
	} {
		raw, err := hex.DecodeString(c.hex[:len(c.hex)&^1])
		if err != nil {
			t.Fatal(err)
		}
		r := scale.NewReader(raw)
		c.read(r)
		err = r.Done()
		if !errors.Is(err, scale.ErrFormat) || errors.Is(err, scale.ErrShort) != c.short {
			t.Errorf("%s: %v, want ErrFormat (short %v)", c.name, err, c.short)
		}
	}
}

// TestFailureSticks: nothing is read after the first failure, so that a check at the
// end is enough.
func TestFailureSticks(t *testing.T) {
	r := scale.NewReader([]byte{2, 1, 1, 1, 1})
	r.Bool()
	first := r.Err()
	if v := r.U8(); v != 0 || r.Remaining() != 0 {
		t.Errorf("read %d after a failure", v)
	}
	r.Fail("another")
	if !errors.Is(r.Done(), first) {
		t.Errorf("failure became %v", r.Done())
	}
}

// Values of the format's own documentation.
func TestVectors(t *testing.T) {
	var w scale.Writer
	w.I8(69)
	w.U16(42)
	w.U32(16777215)
	w.I16(-1)
	w.I32(-2)
	w.I64(-3)
	w.Big(big.NewInt(-4), 16)
	w.Bool(true)
	w.Bool(false)
	w.Str("Bézier")
	w.BitVec([]bool{true, false, true, true, false, false, false, false, true})
	scale.WriteVec(&w, []uint16{4, 8, 15, 16, 23, 42}, (*scale.Writer).U16)
	scale.WriteOption(&w, new(uint8), (*scale.Writer).U8)
	scale.WriteOption(&w, nil, (*scale.Writer).U8)
	ok := uint8(42)
	scale.WriteResult(&w, scale.Result[uint8, bool]{OK: &ok}, (*scale.Writer).U8, (*scale.Writer).Bool)
	bad := false
	scale.WriteResult(&w, scale.Result[uint8, bool]{Err: &bad}, (*scale.Writer).U8, (*scale.Writer).Bool)
	w.ByteVec([]byte{9})
	w.Raw(7, 8)
	want := "45" + "2a00" + "ffffff00" + "ffff" + "feffffff" + "fdffffffffffffff" + "fcffffffffffffffffffffffffffffff" + "01" + "00" +
		"1c42c3a97a696572" + "240d01" + "18040008000f00100017002a00" + "0100" + "00" + "002a" + "0100" + "0409" + "0708"
	if got := hex.EncodeToString(w.Bytes()); got != want {
		t.Fatalf("wrote %s\nwant  %s", got, want)
	}
	r := scale.NewReader(w.Bytes())
	r.I8()
	r.U16()
	r.U32()
	if a, b, c, d := r.I16(), r.I32(), r.I64(), r.BigInt(16); a != -1 || b != -2 || c != -3 || d.Int64() != -4 {
		t.Errorf("signed integers read as %d %d %d %d", a, b, c, d)
	}
	if !r.Bool() || r.Bool() || r.Str() != "Bézier" || len(r.BitVec()) != 9 {
		t.Error("flags, text or bits differ")
	}
	if got := scale.ReadVec(r, (*scale.Reader).U16); !slices.Equal(got, []uint16{4, 8, 15, 16, 23, 42}) {
		t.Errorf("list read as %v", got)
	}
	if some, none := scale.ReadOption(r, (*scale.Reader).U8), scale.ReadOption(r, (*scale.Reader).U8); some == nil || none != nil {
		t.Errorf("options read as %v %v", some, none)
	}
	good := scale.ReadResult(r, (*scale.Reader).U8, (*scale.Reader).Bool)
	wrong := scale.ReadResult(r, (*scale.Reader).U8, (*scale.Reader).Bool)
	if good.OK == nil || *good.OK != 42 || good.Err != nil || wrong.OK != nil || wrong.Err == nil {
		t.Errorf("results read as %v %v", good, wrong)
	}
	at := r.Offset()
	if got := r.ByteVec(); !bytes.Equal(got, []byte{9}) || !bytes.Equal(r.Since(at), []byte{4, 9}) {
		t.Errorf("bytes read as %x", got)
	}
	var two [2]byte
	r.Fixed(two[:])
	if two != [2]byte{7, 8} || r.Done() != nil {
		t.Errorf("array read as %v (%v)", two, r.Err())
	}
}

func TestFits(t *testing.T) {
	edge := new(big.Int).Lsh(big.NewInt(1), 127)
	for _, c := range []struct {
		v              *big.Int
		unsigned, sign bool
	}{
		{big.NewInt(0), true, true},
		{big.NewInt(-1), false, true},
		{edge, true, false},
		{new(big.Int).Neg(edge), false, true},
		{new(big.Int).Sub(new(big.Int).Neg(edge), big.NewInt(1)), false, false},
		{new(big.Int).Sub(edge, big.NewInt(1)), true, true},
		{new(big.Int).Lsh(edge, 1), false, false},
	} {
		if u, s := scale.FitsUint(c.v, 16), scale.FitsInt(c.v, 16); u != c.unsigned || s != c.sign {
			t.Errorf("%d fits u128 %v, i128 %v; want %v, %v", c.v, u, s, c.unsigned, c.sign)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Uint64().Draw(t, "compact")
		list := rapid.SliceOf(rapid.Int32()).Draw(t, "list")
		text := rapid.String().Draw(t, "text")
		set := rapid.SliceOf(rapid.Bool()).Draw(t, "bits")
		wide := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 67).Draw(t, "wide"))
		signed := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 15).Draw(t, "signed"))
		if rapid.Bool().Draw(t, "negative") {
			signed.Neg(signed)
		}
		var w scale.Writer
		w.Compact(c)
		scale.WriteVec(&w, list, (*scale.Writer).I32)
		w.Str(text)
		w.BitVec(set)
		w.CompactBig(wide)
		w.Big(signed, 16)
		r := scale.NewReader(w.Bytes())
		if got := r.Compact(); got != c {
			t.Fatalf("compact %d became %d", c, got)
		}
		if got := scale.ReadVec(r, (*scale.Reader).I32); !slices.Equal(got, list) {
			t.Fatalf("list %v became %v", list, got)
		}
		if got := r.Str(); got != text {
			t.Fatalf("text %q became %q (%v)", text, got, r.Err())
		}
		if got := r.BitVec(); !slices.Equal(got, set) {
			t.Fatalf("bits %v became %v", set, got)
		}
		if got := r.CompactBig(67); got.Cmp(wide) != 0 {
			t.Fatalf("compact %d became %d", wide, got)
		}
		if got := r.BigInt(16); got.Cmp(signed) != 0 {
			t.Fatalf("signed %d became %d", signed, got)
		}
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzReader runs the input as a script: one byte chooses what to read next, and
// whatever was read must encode to the same bytes.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5}, []byte{0x15, 0x01, 0x08, 'h', 'i', 0x0c, 0x05})
	f.Add([]byte{0}, []byte{0x13, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, script, data []byte) {
		r := scale.NewReader(data)
		for _, op := range script {
			at := r.Offset()
			var w scale.Writer
			step(r, &w, op)
			if r.Err() != nil {
				return
			}
			if got := r.Since(at); !bytes.Equal(got, w.Bytes()) {
				t.Fatalf("operation %d read %x, which encodes as %x", op, got, w.Bytes())
			}
		}
	})
}

func step(r *scale.Reader, w *scale.Writer, op byte) {
	switch op % 10 {
	case 0:
		w.Compact(r.Compact())
	case 1:
		w.Str(r.Str())
	case 2:
		w.BitVec(r.BitVec())
	case 3:
		w.CompactBig(r.CompactBig(67))
	case 4:
		w.Bool(r.Bool())
	case 5:
		w.Big(r.BigInt(32), 32)
	case 6:
		scale.WriteVec(w, scale.ReadVec(r, (*scale.Reader).Str), (*scale.Writer).Str)
	case 7:
		scale.WriteOption(w, scale.ReadOption(r, (*scale.Reader).U64), (*scale.Writer).U64)
	case 8:
		v := scale.ReadResult(r, (*scale.Reader).U16, (*scale.Reader).Bool)
		scale.WriteResult(w, v, (*scale.Writer).U16, (*scale.Writer).Bool)
	case 9:
		w.ByteVec(r.ByteVec())
	}
}

func Example() {
	var w scale.Writer
	w.Compact(69)
	w.U16(4)
	w.Str("axon")
	fmt.Printf("%x\n", w.Bytes())

	r := scale.NewReader(w.Bytes())
	fmt.Println(r.Compact(), r.U16(), r.Str(), r.Done())
	// Output:
	// 150104001061786f6e
	// 69 4 axon <nil>
}
