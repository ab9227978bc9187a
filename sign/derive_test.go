package sign_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"targon"
	"targon/sign"
)

// alicePrivate was written by bittensor-wallet 4.1.1 for //Alice.
const alicePrivate = "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09" +
	"925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011"

func TestPrivate(t *testing.T) {
	var seed targon.Secret
	var want sign.Private
	unhex(t, aliceSeed, seed[:])
	unhex(t, alicePrivate, want[:])
	fromSeed, err := sign.FromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fromSeed.Private()
	if err != nil || got != want {
		t.Errorf("private key of //Alice differs (%v)", err)
	}
	k, err := sign.FromPrivate(want)
	if err != nil || k.String() != aliceSS58 {
		t.Fatalf("from private: %v, %v", k, err)
	}
	sig, err := k.Sign([]byte("m"))
	if err != nil || sign.Verify(fromSeed.Hotkey(), []byte("m"), sig) != nil {
		t.Errorf("signature by the private key does not verify (%v)", err)
	}
}

// The same key in the form of expanded Ed25519 keys: the scalar times eight.
func TestPrivateEd25519Form(t *testing.T) {
	var p, eight sign.Private
	unhex(t, alicePrivate, p[:])
	carry := uint(0)
	for i := range 32 {
		v := uint(p[i])<<3 | carry
		eight[i], carry = byte(v), v>>8
	}
	copy(eight[32:], p[32:])
	k, err := sign.FromPrivate(eight)
	if err != nil || k.String() != aliceSS58 {
		t.Errorf("%v, %v", k, err)
	}
	if back, err := k.Private(); err != nil || back != p {
		t.Errorf("not written in schnorrkel's form (%v)", err)
	}
}

func TestPrivateRefuses(t *testing.T) {
	order, _ := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	for name, scalar := range map[string][]byte{
		"zero": make([]byte, 32), "group order": order, "all ones": []byte(strings.Repeat("\xff", 32)),
	} {
		var p sign.Private
		copy(p[:], scalar)
		if k, err := sign.FromPrivate(p); !errors.Is(err, sign.ErrPrivate) {
			t.Errorf("%s: %v, %v, want ErrPrivate", name, k, err)
		}
	}
}

func TestPrintingHidesThePrivateKey(t *testing.T) {
	p := sign.Private{1, 2, 3}
	j, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %s %x %d %#v %v %s", p, p, p, p, p, p.LogValue(), j)
	if want := strings.Repeat("[secret] ", 6) + `"[secret]"`; printed != want {
		t.Errorf("printed %q", printed)
	}
}
