package targon_test

import (
	"bytes"
	"testing"

	"targon"
)

// fuzzDecoder holds a decoder to its promise: it never panics, and what it accepts
// encodes to exactly the bytes that it was given.
func fuzzDecoder(f *testing.F, decode func([]byte) (noun, error), wanted func(any) bool) {
	for _, s := range samples() {
		if b, err := s.value.MarshalBinary(); err == nil && wanted(s.value) {
			f.Add(b)
		}
	}
	f.Add([]byte{})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decode(b)
		if err != nil {
			return
		}
		again, err := v.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v: %x read as %+v, which encodes to %x", err, b, v, again)
		}
	})
}

func FuzzDecodeEntry(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (noun, error) { return targon.DecodeEntry(b) },
		func(v any) bool { _, ok := v.(targon.Entry); return ok })
}

func FuzzRequest(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (noun, error) {
		var v targon.Request
		return &v, v.UnmarshalBinary(b)
	}, func(v any) bool { _, ok := v.(targon.Request); return ok })
}

func FuzzReceipt(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (noun, error) {
		var v targon.Receipt
		return &v, v.UnmarshalBinary(b)
	}, func(v any) bool { _, ok := v.(targon.Receipt); return ok })
}

func FuzzTranscript(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (noun, error) {
		var v targon.Transcript
		return &v, v.UnmarshalBinary(b)
	}, func(v any) bool { _, ok := v.(targon.Transcript); return ok })
}

func FuzzScores(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (noun, error) {
		var v targon.Scores
		return &v, v.UnmarshalBinary(b)
	}, func(v any) bool { _, ok := v.(targon.Scores); return ok })
}

func FuzzCapacity(f *testing.F) {
	fuzzDecoder(f, func(b []byte) (noun, error) {
		var v targon.Capacity
		return &v, v.UnmarshalBinary(b)
	}, func(v any) bool { _, ok := v.(targon.Capacity); return ok })
}

func FuzzParseHotkey(f *testing.F) {
	f.Add("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
	f.Add("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ")
	f.Add("15GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := targon.ParseHotkey(s)
		if err == nil && h.String() != s {
			t.Fatalf("%q read as %s", s, h)
		}
		if err != nil && h != (targon.Hotkey{}) {
			t.Fatalf("%q refused but returned", s)
		}
	})
}
