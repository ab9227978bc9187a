package sign_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"targon"
	"targon/sign"
)

// aliceSeed is the secret seed that Substrate publishes for the development
// account //Alice; aliceHex is its public key.
const (
	aliceSeed = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a"
	aliceHex  = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
	aliceSS58 = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
)

func unhex(t *testing.T, s string, dst []byte) {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(dst) {
		t.Fatalf("bad vector %q: %v", s, err)
	}
	copy(dst, b)
}

func fromByte(t *testing.T, b byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{b})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAlice(t *testing.T) {
	var seed targon.Secret
	unhex(t, aliceSeed, seed[:])
	k, err := sign.FromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	h := k.Hotkey()
	if got := hex.EncodeToString(h[:]); got != aliceHex {
		t.Errorf("public key %s, want %s", got, aliceHex)
	}
	if h.String() != aliceSS58 || k.String() != aliceSS58 {
		t.Errorf("address %s, want %s", h, aliceSS58)
	}
}

// The signature was made by another implementation and is quoted from the tests
// of polkadot-js (wasm-crypto, sr25519).
func TestForeignSignature(t *testing.T) {
	var h targon.Hotkey
	var sig targon.Signature
	unhex(t, "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a", h[:])
	unhex(t, "4e172314444b8f820bb54c22e95076f220ed25373e5c178234aa6c211d292712"+
		"44b947e3ff3418ff6b45fd1df1140c8cbff69fc58ee6dc96df70936a2bb74b82", sig[:])
	if err := sign.Verify(h, []byte("this is a message"), sig); err != nil {
		t.Error(err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	k, other := fromByte(t, 1), fromByte(t, 2)
	message := []byte("the answer")
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	if err := sign.Verify(k.Hotkey(), message, sig); err != nil {
		t.Fatalf("own signature: %v", err)
	}
	refused := func(what string, h targon.Hotkey, m []byte, s targon.Signature) {
		t.Helper()
		if err := sign.Verify(h, m, s); !errors.Is(err, sign.ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", what, err)
		}
	}
	refused("other key", other.Hotkey(), message, sig)
	refused("other message", k.Hotkey(), []byte("the answer."), sig)
	refused("empty message", k.Hotkey(), nil, sig)
	refused("zero signature", k.Hotkey(), message, targon.Signature{})
	refused("zero key", targon.Hotkey{}, message, sig)
	for bit := range len(sig) * 8 {
		flipped := sig
		flipped[bit/8] ^= 1 << (bit % 8)
		refused(fmt.Sprintf("signature bit %d", bit), k.Hotkey(), message, flipped)
	}
	for bit := range 256 {
		h := k.Hotkey()
		h[bit/8] ^= 1 << (bit % 8)
		refused(fmt.Sprintf("key bit %d", bit), h, message, sig)
	}
}

// Signing is randomised: nothing may be derived from a signature's bytes.
func TestSignaturesDiffer(t *testing.T) {
	k := fromByte(t, 3)
	a, _ := k.Sign([]byte("x"))
	b, _ := k.Sign([]byte("x"))
	if a == b {
		t.Error("two signatures of one message are equal")
	}
}

func TestGenerate(t *testing.T) {
	a, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	b, err := sign.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if a.Hotkey() == b.Hotkey() {
		t.Error("two generated keys are equal")
	}
}

func TestPrintingHidesTheSecret(t *testing.T) {
	k := fromByte(t, 4)
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("started", "key", k)
	if !strings.Contains(out.String(), k.Hotkey().String()) {
		t.Errorf("log shows %q, want the address", out.String())
	}
	if got := fmt.Sprintf("%v %s", k, k); got != k.String()+" "+k.String() {
		t.Errorf("printed %q", got)
	}
}

func TestVerifyAll(t *testing.T) {
	claims := make([]sign.Signed, 20)
	for i := range claims {
		k := fromByte(t, byte(10+i))
		m := []byte{byte(i)}
		s, err := k.Sign(m)
		if err != nil {
			t.Fatal(err)
		}
		claims[i] = sign.Signed{Key: k.Hotkey(), Message: m, Signature: s}
	}
	if errs := sign.VerifyAll(nil); errs != nil {
		t.Errorf("nothing to verify: %v", errs)
	}
	if errs := sign.VerifyAll(claims); errs != nil {
		t.Fatalf("all true: %v", errs)
	}
	claims[3].Message = []byte("other")
	claims[7].Signature = targon.Signature{}
	claims[11].Key = claims[12].Key
	errs := sign.VerifyAll(claims)
	if len(errs) != len(claims) {
		t.Fatalf("%d results, want %d", len(errs), len(claims))
	}
	for i, err := range errs {
		if bad := i == 3 || i == 7 || i == 11; errors.Is(err, sign.ErrSignature) != bad {
			t.Errorf("claim %d: %v", i, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k, err := sign.FromSeed(targon.Secret{5})
	if err != nil {
		f.Fatal(err)
	}
	h := k.Hotkey()
	f.Add(h[:], []byte("m"), make([]byte, 64))
	f.Fuzz(func(t *testing.T, pub, message, raw []byte) {
		var p targon.Hotkey
		var s targon.Signature
		copy(p[:], pub)
		copy(s[:], raw)
		// Nobody but the key's owner can sign, and nothing may panic.
		if err := sign.Verify(h, message, s); err == nil {
			t.Errorf("forged %x over %x", raw, message)
		}
		_ = sign.Verify(p, message, s)
	})
}

func BenchmarkSign(b *testing.B) {
	k, _ := sign.FromSeed(targon.Secret{1})
	m := make([]byte, 120)
	for b.Loop() {
		_, _ = k.Sign(m)
	}
}

func BenchmarkVerify(b *testing.B) {
	k, _ := sign.FromSeed(targon.Secret{1})
	m := make([]byte, 120)
	s, _ := k.Sign(m)
	h := k.Hotkey()
	for b.Loop() {
		if sign.Verify(h, m, s) != nil {
			b.Fatal("does not verify")
		}
	}
}

func Example() {
	key, err := sign.FromSeed(targon.Secret{1, 2, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	signature, err := key.Sign([]byte("twelve blocks"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sign.Verify(key.Hotkey(), []byte("twelve blocks"), signature))
	fmt.Println(sign.Verify(key.Hotkey(), []byte("thirteen blocks"), signature))
	// Output:
	// <nil>
	// signature does not verify
}
