package substrate

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/blake2b"

	"targon"
	"targon/scale"
	"targon/sign"
)

// ErrExtension is returned where the chain wants something signed that is not
// known here. Signing without understanding it could mean anything.
var ErrExtension = errors.New("signed extension is not known")

// ErrExtrinsic is the root of every failure to read an extrinsic.
var ErrExtrinsic = errors.New("malformed extrinsic")

const (
	extrinsicVersion = 4
	signedBit        = 0x80
	addressID        = 0x00 // MultiAddress::Id
	schemeSr25519    = 0x01 // MultiSignature::Sr25519
	hashAbove        = 256  // longer payloads are hashed before they are signed
)

// Terms are what is signed with a call. Spec and Transaction are the runtime's
// versions, Start is the hash of the era's first block (Genesis if immortal).
type Terms struct {
	Era               Era
	Nonce             uint64
	Tip               uint64
	Spec, Transaction uint32
	Genesis, Start    targon.Digest
}

// Signer holds a key; *sign.Key is one.
type Signer interface {
	Hotkey() targon.Hotkey
	Sign(message []byte) (targon.Signature, error)
}

// Extrinsic is a decoded extrinsic. Of Terms it holds Era, Nonce and Tip; the rest
// is signed and not sent. An extrinsic without signature is an inherent.
type Extrinsic struct {
	Signed    bool
	Signer    targon.Hotkey
	Signature targon.Signature
	Terms     Terms
	Call      Call
	CallBytes []byte
}

// Hash returns the name of an extrinsic: blake2b-256 of its bytes as submitted,
// length included.
func Hash(extrinsic []byte) targon.Digest { return blake2b.Sum256(extrinsic) }

// Payload returns what is signed for a call, before hashing.
func (m *Metadata) Payload(call []byte, t Terms) ([]byte, error) {
	w := &scale.Writer{}
	w.Raw(call...)
	if err := m.writeExtras(w, t); err != nil {
		return nil, err
	}
	for _, e := range m.Extrinsic.Extensions {
		_, additional, err := m.extension(e, t)
		if err != nil {
			return nil, err
		}
		if err := m.encodePart(w, e, e.Additional, additional); err != nil {
			return nil, err
		}
	}
	return w.Bytes(), nil
}

// SignedBytes returns what is signed for a payload: itself, or its hash when it
// is long.
func SignedBytes(payload []byte) []byte {
	if len(payload) <= hashAbove {
		return payload
	}
	sum := blake2b.Sum256(payload)
	return sum[:]
}

// SignExtrinsic returns the extrinsic as it is submitted, with its length.
func (m *Metadata) SignExtrinsic(key Signer, call []byte, t Terms) ([]byte, error) {
	if m.Extrinsic.Version != extrinsicVersion {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrExtrinsic, m.Extrinsic.Version, extrinsicVersion)
	}
	payload, err := m.Payload(call, t)
	if err != nil {
		return nil, err
	}
	sig, err := key.Sign(SignedBytes(payload))
	if err != nil {
		return nil, fmt.Errorf("sign extrinsic: %w", err)
	}
	return m.Assemble(key.Hotkey(), sig, call, t)
}

// Assemble puts a signature and what it signs together.
func (m *Metadata) Assemble(signer targon.Hotkey, sig targon.Signature, call []byte, t Terms) ([]byte, error) {
	body := &scale.Writer{}
	body.U8(signedBit | extrinsicVersion)
	body.U8(addressID)
	body.Raw(signer[:]...)
	body.U8(schemeSr25519)
	body.Raw(sig[:]...)
	if err := m.writeExtras(body, t); err != nil {
		return nil, err
	}
	body.Raw(call...)
	out := &scale.Writer{}
	out.ByteVec(body.Bytes())
	return out.Bytes(), nil
}

// Inherent returns a call as an extrinsic without signature, with its length.
func Inherent(call []byte) []byte {
	w := &scale.Writer{}
	w.Len(len(call) + 1)
	w.U8(extrinsicVersion)
	w.Raw(call...)
	return w.Bytes()
}

// writeExtras appends what each extension adds to an extrinsic, in the order of
// the metadata.
func (m *Metadata) writeExtras(w *scale.Writer, t Terms) error {
	for _, e := range m.Extrinsic.Extensions {
		if isEra(e) {
			t.Era.write(w)
			continue
		}
		extra, _, err := m.extension(e, t)
		if err != nil {
			return err
		}
		if err := m.encodePart(w, e, e.Type, extra); err != nil {
			return err
		}
	}
	return nil
}

// encodePart appends one of an extension's two values.
func (m *Metadata) encodePart(w *scale.Writer, e Extension, id TypeID, v any) error {
	if v == nil && m.Types.empty(id, 0) {
		return nil
	}
	if err := m.Types.Encode(w, id, v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrExtension, e.Name, err)
	}
	return nil
}

func isEra(e Extension) bool { return e.Name == "CheckMortality" || e.Name == "CheckEra" }

// extension returns the two values of an extension. The metadata's types encode
// them, so that an extension that keeps its name and changes its form is refused. One
// that is not listed is let through only if it has neither.
func (m *Metadata) extension(e Extension, t Terms) (extra, additional any, err error) {
	switch e.Name {
	case "CheckSpecVersion":
		return nil, t.Spec, nil
	case "CheckTxVersion":
		return nil, t.Transaction, nil
	case "CheckGenesis":
		return nil, t.Genesis[:], nil
	case "CheckMortality", "CheckEra":
		return nil, t.Start[:], nil
	case "CheckNonce":
		return t.Nonce, nil, nil
	case "ChargeTransactionPayment":
		return t.Tip, nil, nil
	case "CheckMetadataHash":
		return Record{{"mode", "Disabled"}}, nil, nil
	}
	if m.Types.empty(e.Type, 0) && m.Types.empty(e.Additional, 0) {
		return nil, nil, nil
	}
	return nil, nil, fmt.Errorf("%w: %s", ErrExtension, e.Name)
}

// DecodeExtrinsic reads an extrinsic as it is submitted or stands in a block.
func (m *Metadata) DecodeExtrinsic(raw []byte) (Extrinsic, error) {
	r := scale.NewReader(raw)
	if n := r.Compact(); r.Err() == nil && n != uint64(r.Remaining()) {
		return Extrinsic{}, fmt.Errorf("%w: says %d bytes, has %d", ErrExtrinsic, n, r.Remaining())
	}
	var x Extrinsic
	version := r.U8()
	if r.Err() == nil && version&^signedBit != extrinsicVersion {
		return x, fmt.Errorf("%w: version byte %#02x, want 4", ErrExtrinsic, version)
	}
	if version&signedBit != 0 {
		x.Signed = true
		if err := m.readSigned(r, &x); err != nil {
			return Extrinsic{}, err
		}
	}
	x.CallBytes = copied(r.Raw(r.Remaining()))
	if r.Err() != nil {
		return Extrinsic{}, fmt.Errorf("%w: %w", ErrExtrinsic, r.Err())
	}
	var err error
	if x.Call, err = m.DecodeCall(x.CallBytes); err != nil {
		return Extrinsic{}, fmt.Errorf("%w: %w", ErrExtrinsic, err)
	}
	return x, nil
}

// readSigned reads the part of an extrinsic between its version and its call.
func (m *Metadata) readSigned(r *scale.Reader, x *Extrinsic) error {
	if kind := r.U8(); r.Err() == nil && kind != addressID {
		return fmt.Errorf("%w: address of kind %d, want an account", ErrExtrinsic, kind)
	}
	r.Fixed(x.Signer[:])
	if scheme := r.U8(); r.Err() == nil && scheme != schemeSr25519 {
		return fmt.Errorf("%w: signature of kind %d, want sr25519", ErrExtrinsic, scheme)
	}
	r.Fixed(x.Signature[:])
	for _, e := range m.Extrinsic.Extensions {
		if isEra(e) {
			x.Terms.Era = readEra(r)
			continue
		}
		if _, _, err := m.extension(e, Terms{}); err != nil {
			return fmt.Errorf("%w: %w", ErrExtrinsic, err)
		}
		v := m.Types.read(r, e.Type)
		switch e.Name {
		case "CheckNonce":
			x.Terms.Nonce, _ = v.(uint64)
		case "ChargeTransactionPayment":
			x.Terms.Tip, _ = v.(uint64)
		case "CheckMetadataHash":
			rec, _ := v.(Record)
			if mode, _ := rec.Get("mode").(Variant); mode.Name != "Disabled" {
				r.Fail("metadata hash is checked")
			}
		}
	}
	if r.Err() != nil {
		return fmt.Errorf("%w: %w", ErrExtrinsic, r.Err())
	}
	return nil
}

// Claim returns what the signature of an extrinsic asserts on a chain with those
// terms, of which Spec, Transaction, Genesis and Start are read. sign.Verify
// checks one and sign.VerifyAll many.
func (m *Metadata) Claim(x Extrinsic, chain Terms) (sign.Signed, error) {
	if !x.Signed {
		return sign.Signed{}, fmt.Errorf("%w: has no signature", ErrExtrinsic)
	}
	chain.Era, chain.Nonce, chain.Tip = x.Terms.Era, x.Terms.Nonce, x.Terms.Tip
	payload, err := m.Payload(x.CallBytes, chain)
	if err != nil {
		return sign.Signed{}, err
	}
	return sign.Signed{Key: x.Signer, Message: SignedBytes(payload), Signature: x.Signature}, nil
}
