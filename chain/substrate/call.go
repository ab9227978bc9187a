package substrate

import (
	"fmt"

	"targon/scale"
)

// Call is a decoded call. Args are in the order of its type.
type Call struct {
	Pallet, Name       string
	PalletIndex, Index uint8
	Args               Record
}

// EncodeCall returns the bytes of a call. Args name every argument, in any order.
func (m *Metadata) EncodeCall(pallet, name string, args Record) ([]byte, error) {
	p, err := m.Pallet(pallet)
	if err != nil {
		return nil, err
	}
	v, ok := m.Types.variants(p.Calls).variant(name)
	if !ok {
		return nil, fmt.Errorf("call %s.%s: %w", pallet, name, ErrUnknown)
	}
	w := &scale.Writer{}
	w.Raw(p.Index, v.Index)
	var part any
	if len(args) > 0 {
		part = args
	}
	if err := m.Types.encodeFields(w, v.Fields, part, 0); err != nil {
		return nil, fmt.Errorf("call %s.%s: %w", pallet, name, err)
	}
	return w.Bytes(), nil
}

// DecodeCall reads the bytes of a call.
func (m *Metadata) DecodeCall(raw []byte) (Call, error) {
	r := scale.NewReader(raw)
	pallet, index := r.U8(), r.U8()
	if r.Err() != nil {
		return Call{}, fmt.Errorf("call %x: %w", raw, r.Err())
	}
	p, err := m.PalletAt(pallet)
	if err != nil {
		return Call{}, fmt.Errorf("call: %w", err)
	}
	v, ok := m.Types.variants(p.Calls).at(index)
	if !ok {
		return Call{}, fmt.Errorf("call %d of %s: %w", index, p.Name, ErrUnknown)
	}
	c := Call{Pallet: p.Name, Name: v.Name, PalletIndex: pallet, Index: index}
	d := m.Types.decoder(r)
	for _, f := range v.Fields {
		c.Args = append(c.Args, Named{fieldName(f), d.value(f.Type, 0)})
	}
	if err := r.Done(); err != nil {
		return Call{}, fmt.Errorf("call %s.%s: %w", c.Pallet, c.Name, err)
	}
	return c, nil
}

func fieldName(f Field) string {
	if f.Name == nil {
		return ""
	}
	return *f.Name
}
