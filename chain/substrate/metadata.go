// Package substrate speaks the formats of Substrate chains: metadata, storage keys,
// values, calls, signed extrinsics, events and refusals, all driven by the metadata
// that the chain itself serves, so that a runtime upgrade is read and not compiled in.
//
// It is pure: bytes in, values out. It opens no connection (chain/substrate/rpc
// does) and knows no pallet's meaning (chain/subtensor does). It reads metadata of
// version 14, extrinsics of version 4 and sr25519 signatures, and refuses the rest by
// name. Its invariants: what it decodes encodes to the same bytes; input from a node,
// however hostile, costs time and memory in proportion to its length; and an
// extrinsic is never signed while the chain demands an extension that is not known.
package substrate

import (
	"errors"
	"fmt"

	"targon/scale"
)

// ErrMetadata is the root of every failure to read metadata.
var ErrMetadata = errors.New("malformed metadata")

// ErrUnknown is returned for a pallet, entry, call, error or type that the metadata
// does not have.
var ErrUnknown = errors.New("not in the chain's metadata")

const (
	magic           = 0x6174656d // "meta"
	metadataVersion = 14
)

// Metadata is what a runtime says about itself.
type Metadata struct {
	Types     Registry
	Pallets   []Pallet
	Extrinsic ExtrinsicForm
	Runtime   TypeID
}

// A Pallet is one module of a runtime. Calls, Events and Errors are variant types
// whose variants are what their names say; nil where the pallet has none.
type Pallet struct {
	Name      string
	Storage   *Storage
	Calls     *TypeID
	Events    *TypeID
	Constants []Constant
	Errors    *TypeID
	Index     uint8
}

// Storage lists what a pallet keeps, under the hash of Prefix.
type Storage struct {
	Prefix  string
	Entries []Entry
}

// An Entry is a value (no Hashers) or a map whose keys are hashed one by one.
type Entry struct {
	Name       string
	HasDefault bool // an absent value reads as Default, else as nothing
	Hashers    []Hasher
	Key, Value TypeID
	Default    []byte
	Docs       []string
}

// A Constant is a value fixed by the runtime.
type Constant struct {
	Name  string
	Type  TypeID
	Value []byte
	Docs  []string
}

// ExtrinsicForm says how an extrinsic is laid out.
type ExtrinsicForm struct {
	Type       TypeID
	Version    uint8
	Extensions []Extension
}

// An Extension adds Type to each signed extrinsic and Additional to what is signed.
type Extension struct {
	Name             string
	Type, Additional TypeID
}

// ParseMetadata reads the bytes that state_getMetadata returns.
func ParseMetadata(raw []byte) (*Metadata, error) {
	r := scale.NewReader(raw)
	if r.U32() != magic {
		return nil, fmt.Errorf("%w: does not begin with %q", ErrMetadata, "meta")
	}
	if v := r.U8(); v != metadataVersion {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrMetadata, v, metadataVersion)
	}
	m := &Metadata{Types: readRegistry(r)}
	m.Pallets = scale.ReadVec(r, readPallet)
	m.Extrinsic = ExtrinsicForm{Type: readTypeID(r), Version: r.U8(), Extensions: scale.ReadVec(r, readExtension)}
	m.Runtime = readTypeID(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// Bytes encodes the metadata; a development chain serves these.
func (m *Metadata) Bytes() []byte {
	w := &scale.Writer{}
	w.U32(magic)
	w.U8(metadataVersion)
	m.Types.write(w)
	scale.WriteVec(w, m.Pallets, writePallet)
	writeTypeID(w, m.Extrinsic.Type)
	w.U8(m.Extrinsic.Version)
	scale.WriteVec(w, m.Extrinsic.Extensions, writeExtension)
	writeTypeID(w, m.Runtime)
	return w.Bytes()
}

// check refuses metadata that names types it does not have, so that no lookup
// can fail later.
func (m *Metadata) check() error {
	ids := []TypeID{m.Runtime, m.Extrinsic.Type}
	for _, e := range m.Extrinsic.Extensions {
		ids = append(ids, e.Type, e.Additional)
	}
	for _, p := range m.Pallets {
		for _, id := range []*TypeID{p.Calls, p.Events, p.Errors} {
			if id != nil {
				ids = append(ids, *id)
			}
		}
		for _, c := range p.Constants {
			ids = append(ids, c.Type)
		}
		if p.Storage == nil {
			continue
		}
		for _, e := range p.Storage.Entries {
			ids = append(ids, e.Key, e.Value)
			if err := e.checkHashers(&m.Types); err != nil {
				return fmt.Errorf("%w: %s.%s: %w", ErrMetadata, p.Name, e.Name, err)
			}
		}
	}
	for _, id := range ids {
		if int(id) >= len(m.Types.types) {
			return fmt.Errorf("%w: type %d of %d", ErrMetadata, id, len(m.Types.types))
		}
	}
	return m.Types.check()
}

// Pallet finds a pallet by name.
func (m *Metadata) Pallet(name string) (*Pallet, error) {
	for i := range m.Pallets {
		if m.Pallets[i].Name == name {
			return &m.Pallets[i], nil
		}
	}
	return nil, fmt.Errorf("pallet %s: %w", name, ErrUnknown)
}

// PalletAt finds a pallet by its index in calls, events and errors.
func (m *Metadata) PalletAt(index uint8) (*Pallet, error) {
	for i := range m.Pallets {
		if m.Pallets[i].Index == index {
			return &m.Pallets[i], nil
		}
	}
	return nil, fmt.Errorf("pallet with index %d: %w", index, ErrUnknown)
}

// Entry finds a storage entry.
func (m *Metadata) Entry(pallet, name string) (*Pallet, *Entry, error) {
	p, err := m.Pallet(pallet)
	if err != nil {
		return nil, nil, err
	}
	if p.Storage != nil {
		for i := range p.Storage.Entries {
			if e := &p.Storage.Entries[i]; e.Name == name {
				return p, e, nil
			}
		}
	}
	return nil, nil, fmt.Errorf("storage %s.%s: %w", pallet, name, ErrUnknown)
}

// Constant decodes a constant of the runtime.
func (m *Metadata) Constant(pallet, name string) (any, error) {
	p, err := m.Pallet(pallet)
	if err != nil {
		return nil, err
	}
	for _, c := range p.Constants {
		if c.Name == name {
			return m.Types.Decode(c.Type, c.Value)
		}
	}
	return nil, fmt.Errorf("constant %s.%s: %w", pallet, name, ErrUnknown)
}

func readPallet(r *scale.Reader) Pallet {
	return Pallet{
		Name:      r.Str(),
		Storage:   scale.ReadOption(r, readStorage),
		Calls:     scale.ReadOption(r, readTypeID),
		Events:    scale.ReadOption(r, readTypeID),
		Constants: scale.ReadVec(r, readConstant),
		Errors:    scale.ReadOption(r, readTypeID),
		Index:     r.U8(),
	}
}

func writePallet(w *scale.Writer, p Pallet) {
	w.Str(p.Name)
	scale.WriteOption(w, p.Storage, writeStorage)
	scale.WriteOption(w, p.Calls, writeTypeID)
	scale.WriteOption(w, p.Events, writeTypeID)
	scale.WriteVec(w, p.Constants, writeConstant)
	scale.WriteOption(w, p.Errors, writeTypeID)
	w.U8(p.Index)
}

func readStorage(r *scale.Reader) Storage {
	return Storage{Prefix: r.Str(), Entries: scale.ReadVec(r, readEntry)}
}

func writeStorage(w *scale.Writer, s Storage) {
	w.Str(s.Prefix)
	scale.WriteVec(w, s.Entries, writeEntry)
}

func readEntry(r *scale.Reader) Entry {
	e := Entry{Name: r.Str(), HasDefault: r.Bool()}
	if r.Bool() {
		e.Hashers = scale.ReadVec(r, func(r *scale.Reader) Hasher { return Hasher(r.U8()) })
		if len(e.Hashers) == 0 {
			r.Fail("map %s has no hashers", e.Name)
		}
		e.Key = readTypeID(r)
	}
	e.Value = readTypeID(r)
	e.Default = copied(r.ByteVec())
	e.Docs = scale.ReadVec(r, (*scale.Reader).Str)
	return e
}

func writeEntry(w *scale.Writer, e Entry) {
	w.Str(e.Name)
	w.Bool(e.HasDefault)
	w.Bool(len(e.Hashers) > 0)
	if len(e.Hashers) > 0 {
		scale.WriteVec(w, e.Hashers, func(w *scale.Writer, h Hasher) { w.U8(uint8(h)) })
		writeTypeID(w, e.Key)
	}
	writeTypeID(w, e.Value)
	w.ByteVec(e.Default)
	scale.WriteVec(w, e.Docs, (*scale.Writer).Str)
}

func readConstant(r *scale.Reader) Constant {
	return Constant{Name: r.Str(), Type: readTypeID(r), Value: copied(r.ByteVec()), Docs: scale.ReadVec(r, (*scale.Reader).Str)}
}

func writeConstant(w *scale.Writer, c Constant) {
	w.Str(c.Name)
	writeTypeID(w, c.Type)
	w.ByteVec(c.Value)
	scale.WriteVec(w, c.Docs, (*scale.Writer).Str)
}

func readExtension(r *scale.Reader) Extension {
	return Extension{Name: r.Str(), Type: readTypeID(r), Additional: readTypeID(r)}
}

func writeExtension(w *scale.Writer, e Extension) {
	w.Str(e.Name)
	writeTypeID(w, e.Type)
	writeTypeID(w, e.Additional)
}

func copied(b []byte) []byte { return append([]byte(nil), b...) }
