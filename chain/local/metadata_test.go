package local_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"targon/chain/chainvectors"
	"targon/chain/local"
	"targon/chain/substrate"
)

// form spells a type out as far as its encoding goes, with the names of its parts.
func form(m *substrate.Metadata, id substrate.TypeID) string {
	fields := func(list []substrate.Field) string {
		var b strings.Builder
		for _, f := range list {
			if f.Name != nil {
				b.WriteString(*f.Name + ": ")
			}
			b.WriteString(form(m, f.Type) + ", ")
		}
		return b.String()
	}
	if path := m.Types.Type(id).Path; len(path) > 0 && path[len(path)-1] == "RuntimeCall" {
		return "a call" // each is compared by itself
	}
	switch d := m.Types.Type(id).Def.(type) {
	case substrate.Composite:
		if len(d.Fields) == 1 && d.Fields[0].Name == nil { // a wrapper
			return form(m, d.Fields[0].Type)
		}
		return "{" + fields(d.Fields) + "}"
	case substrate.Variants:
		var b strings.Builder
		for _, v := range d.List {
			fmt.Fprintf(&b, "%s=%d(%s) ", v.Name, v.Index, fields(v.Fields))
		}
		return "enum{" + b.String() + "}"
	case substrate.Sequence:
		return "[" + form(m, d.Elem) + "]"
	case substrate.Array:
		return fmt.Sprintf("[%s; %d]", form(m, d.Elem), d.Len)
	case substrate.Tuple:
		var b strings.Builder
		for _, e := range d.Elems {
			b.WriteString(form(m, e) + ", ")
		}
		return "(" + b.String() + ")"
	case substrate.Compact:
		return "compact " + form(m, d.Elem)
	default:
		return fmt.Sprint(d)
	}
}

// TestMetadata: all that this chain says of itself is what Subtensor at spec 293 says.
func TestMetadata(t *testing.T) {
	f, err := os.Open(chainvectors.Default(t, "metadata-293.scale.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	real, err := substrate.ParseMetadata(raw)
	if err != nil {
		t.Fatal(err)
	}
	ours := local.Metadata()
	for _, p := range ours.Pallets {
		q, err := real.Pallet(p.Name)
		if err != nil || q.Index != p.Index {
			t.Errorf("pallet %s: %v", p.Name, err)
			continue
		}
		for kind, ids := range map[string][2]*substrate.TypeID{"call": {p.Calls, q.Calls}, "event": {p.Events, q.Events}, "error": {p.Errors, q.Errors}} {
			compareVariants(t, p.Name+" "+kind, ours, real, ids)
		}
		for _, e := range p.Storage.Entries {
			_, r, err := real.Entry(p.Name, e.Name)
			if err != nil {
				t.Error(err)
				continue
			}
			if !slices.Equal(e.Hashers, r.Hashers) || e.HasDefault != r.HasDefault || len(e.Hashers) > 0 && form(ours, e.Key) != form(real, r.Key) {
				t.Errorf("%s.%s is filed otherwise", p.Name, e.Name)
			}
			if e.Name != "Events" && form(ours, e.Value) != form(real, r.Value) { // events are compared one by one
				t.Errorf("%s.%s is %s, at Subtensor %s", p.Name, e.Name, form(ours, e.Value), form(real, r.Value))
			}
		}
	}
	if len(ours.Extrinsic.Extensions) != len(real.Extrinsic.Extensions) {
		t.Fatalf("%d extensions, Subtensor has %d", len(ours.Extrinsic.Extensions), len(real.Extrinsic.Extensions))
	}
	for i, e := range ours.Extrinsic.Extensions {
		r := real.Extrinsic.Extensions[i]
		if e.Name != r.Name || form(ours, e.Type) != form(real, r.Type) || form(ours, e.Additional) != form(real, r.Additional) {
			t.Errorf("extension %s differs from Subtensor's %s", e.Name, r.Name)
		}
	}
	again, err := substrate.ParseMetadata(ours.Bytes())
	if err != nil || !bytes.Equal(again.Bytes(), ours.Bytes()) {
		t.Errorf("metadata does not read back: %v", err)
	}
}

func compareVariants(t *testing.T, what string, ours, real *substrate.Metadata, ids [2]*substrate.TypeID) {
	t.Helper()
	if ids[0] == nil {
		return
	}
	list, _ := ours.Types.Type(*ids[0]).Def.(substrate.Variants)
	whole, _ := real.Types.Type(*ids[1]).Def.(substrate.Variants)
	for _, v := range list.List {
		i := slices.IndexFunc(whole.List, func(w substrate.VariantType) bool { return w.Name == v.Name && w.Index == v.Index })
		if i < 0 {
			t.Errorf("%s %s=%d is not Subtensor's", what, v.Name, v.Index)
			continue
		}
		for j, f := range v.Fields {
			w := whole.List[i].Fields
			if j >= len(w) || form(ours, f.Type) != form(real, w[j].Type) || (f.Name == nil) != (w[j].Name == nil) || f.Name != nil && *f.Name != *w[j].Name {
				t.Errorf("%s %s: field %d differs", what, v.Name, j)
			}
		}
	}
}
