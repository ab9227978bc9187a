package substrate

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"

	"targon/scale"
)

// Hasher turns an encoded map key into a part of a storage key.
type Hasher uint8

// The hashers, in their order in metadata.
const (
	Blake2x128 Hasher = iota
	Blake2x256
	Blake2x128Concat
	Twox128
	Twox256
	Twox64Concat
	Identity
)

// String returns Substrate's name.
func (h Hasher) String() string {
	names := [...]string{"Blake2_128", "Blake2_256", "Blake2_128Concat", "Twox128", "Twox256", "Twox64Concat", "Identity"}
	if int(h) < len(names) {
		return names[h]
	}
	return fmt.Sprintf("Hasher(%d)", uint8(h))
}

// Hash returns the storage key part for an encoded map key.
func (h Hasher) Hash(key []byte) []byte {
	switch h {
	case Blake2x128:
		return blake2(key, 16)
	case Blake2x256:
		return blake2(key, 32)
	case Blake2x128Concat:
		return append(blake2(key, 16), key...)
	case Twox128:
		return twox(key, 2)
	case Twox256:
		return twox(key, 4)
	case Twox64Concat:
		return append(twox(key, 1), key...)
	default:
		return copied(key)
	}
}

// prefix returns how many bytes stand before the key itself, and whether the key
// can be read back.
func (h Hasher) prefix() (int, bool) {
	switch h {
	case Blake2x128Concat:
		return 16, true
	case Twox64Concat:
		return 8, true
	case Identity:
		return 0, true
	default:
		return 0, false
	}
}

// twox is xxHash64 with the seeds 0, 1, … side by side, each little endian.
func twox(b []byte, words uint64) []byte {
	out := make([]byte, 0, 8*words)
	for seed := range words {
		d := xxhash.NewWithSeed(seed)
		_, _ = d.Write(b) // a hash never fails to be written
		out = binary.LittleEndian.AppendUint64(out, d.Sum64())
	}
	return out
}

func blake2(b []byte, size int) []byte {
	h, err := blake2b.New(size, nil)
	if err != nil {
		panic("internal error: " + err.Error()) // only for sizes that are not used here
	}
	_, _ = h.Write(b)
	return h.Sum(nil)
}

// checkHashers holds a map to one hasher for each of its keys.
func (e *Entry) checkHashers(g *Registry) error {
	for _, h := range e.Hashers {
		if h > Identity {
			return fmt.Errorf("hasher %d", uint8(h))
		}
	}
	if len(e.Hashers) > 1 && int(e.Key) < g.Len() {
		if t, ok := g.Type(e.Key).Def.(Tuple); !ok || len(t.Elems) != len(e.Hashers) {
			return fmt.Errorf("%d hashers for another number of keys", len(e.Hashers))
		}
	}
	return nil
}

// keys returns the type that each hasher hashes.
func (e *Entry) keys(g *Registry) []TypeID {
	switch len(e.Hashers) {
	case 0:
		return nil
	case 1:
		return []TypeID{e.Key}
	default:
		return g.Type(e.Key).Def.(Tuple).Elems
	}
}

// StorageKey returns where an entry's value lies. With fewer keys than the map has
// it is the prefix of all values under those keys.
func (m *Metadata) StorageKey(pallet, entry string, keys ...any) ([]byte, error) {
	p, e, err := m.Entry(pallet, entry)
	if err != nil {
		return nil, err
	}
	types := e.keys(&m.Types)
	if len(keys) > len(types) {
		return nil, fmt.Errorf("storage key %s.%s: %d keys, the map has %d", pallet, entry, len(keys), len(types))
	}
	out := append(Twox128.Hash([]byte(p.Storage.Prefix)), Twox128.Hash([]byte(entry))...)
	for i, k := range keys {
		w := &scale.Writer{}
		if err := m.Types.Encode(w, types[i], k); err != nil {
			return nil, fmt.Errorf("storage key %s.%s: key %d: %w", pallet, entry, i, err)
		}
		out = append(out, e.Hashers[i].Hash(w.Bytes())...)
	}
	return out, nil
}

// StorageKeys reads the map keys back out of a storage key. The hashed parts are
// checked, so that a node cannot file one key under another.
func (m *Metadata) StorageKeys(pallet, entry string, key []byte) ([]any, error) {
	p, e, err := m.Entry(pallet, entry)
	if err != nil {
		return nil, err
	}
	r := scale.NewReader(key)
	if head := string(r.Raw(16)) + string(r.Raw(16)); head != string(Twox128.Hash([]byte(p.Storage.Prefix)))+string(Twox128.Hash([]byte(entry))) {
		return nil, fmt.Errorf("storage key %x: not of %s.%s", key, pallet, entry)
	}
	var out []any
	for i, id := range e.keys(&m.Types) {
		skip, readable := e.Hashers[i].prefix()
		if !readable {
			return nil, fmt.Errorf("storage key of %s.%s: %s cannot be read back", pallet, entry, e.Hashers[i])
		}
		start := r.Offset()
		r.Raw(skip)
		at := r.Offset()
		out = append(out, m.Types.read(r, id))
		if r.Err() == nil && string(e.Hashers[i].Hash(r.Since(at))) != string(r.Since(start)) {
			r.Fail("hash of key %d differs", i)
		}
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("storage key of %s.%s: %w", pallet, entry, err)
	}
	return out, nil
}

// StorageValue decodes what lies under an entry's key. For nil, an absent value, it
// returns the entry's default, or nil where the entry has none.
func (m *Metadata) StorageValue(pallet, entry string, raw []byte) (any, error) {
	_, e, err := m.Entry(pallet, entry)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		if !e.HasDefault {
			return nil, nil
		}
		raw = e.Default
	}
	v, err := m.Types.Decode(e.Value, raw)
	if err != nil {
		return nil, fmt.Errorf("storage value %s.%s: %w", pallet, entry, err)
	}
	return v, nil
}
