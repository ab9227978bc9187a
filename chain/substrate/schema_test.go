package substrate_test

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"testing"

	"targon"
	"targon/chain/substrate"
	"targon/scale"
)

func TestSchema(t *testing.T) {
	s := substrate.NewSchema()
	if err := s.Define(`
		a::b::Info = {ip: u128, ports: Vec<(u16, Compact<u16>)>}
		Kind = enum{None, One(u8), Two{x: Info}, Late = 9, Next}
		Whole = {who: AccountId32, info: Option<Info>, kind: Kind, hash: [u8; 4], h: H256}
	`); err != nil {
		t.Fatal(err)
	}
	id, err := s.Type("Vec<Whole>")
	if err != nil {
		t.Fatal(err)
	}
	info := substrate.Record{{"ip", big.NewInt(7)}, {"ports", []any{[]any{1, 2}}}}
	w := &scale.Writer{}
	err = s.Types.Encode(w, id, []any{
		substrate.Record{{"who", targon.Hotkey{1}}, {"info", info}, {"kind", substrate.Variant{Name: "Two", Value: substrate.Record{{"x", info}}}}, {"hash", []byte{1, 2, 3, 4}}, {"h", make([]byte, 32)}},
		substrate.Record{{"who", targon.Hotkey{2}}, {"info", nil}, {"kind", "Next"}, {"hash", []byte{1, 2, 3, 4}}, {"h", make([]byte, 32)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Types.Decode(id, w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	type port struct{ A, B uint16 }
	type part struct {
		IP    *big.Int `chain:"ip"`
		Ports []port   `chain:"ports"`
	}
	var out []struct {
		Who  targon.Hotkey     `chain:"who"`
		Info *part             `chain:"info"`
		Kind substrate.Variant `chain:"kind"`
		Hash [4]byte           `chain:"hash"`
		More uint8             `chain:"more,maybe"`
	}
	if err := substrate.Into(v, &out); err != nil {
		t.Fatal(err)
	}
	if len(out) != 2 || out[0].Who != (targon.Hotkey{1}) || out[0].Info.IP.Int64() != 7 || !reflect.DeepEqual(out[0].Info.Ports, []port{{1, 2}}) ||
		out[1].Info != nil || out[1].Kind.Name != "Next" || out[1].Hash != [4]byte{1, 2, 3, 4} {
		t.Errorf("%+v", out)
	}
	a, _ := s.Type("Vec<u16>")
	b, _ := s.Type("Vec<u16>")
	c, _ := s.Type("Vec<u32>")
	if a != b || a == c {
		t.Errorf("Vec<u16> is %d and %d, Vec<u32> %d", a, b, c)
	}
}

func TestSchemaRefuses(t *testing.T) {
	for _, text := range []string{"A", "A = ", "A = B", "A = Vec<u8", "A = Vec u8", "A = [u8; x]", "A = {a: }", "A = (u8", "= u8", "A = enum{A = 256}", "A = enum{(}"} {
		if err := substrate.NewSchema().Define(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	if _, err := substrate.NewSchema().Type("u8 u8"); err == nil {
		t.Error("two types were accepted as one")
	}
}

func TestIntoRefuses(t *testing.T) {
	var small uint8
	var signed int64
	var list []uint16
	var hash [2]byte
	var named struct {
		A uint8 `chain:"a"`
	}
	for _, c := range []struct{ v, dst any }{
		{uint64(256), &small},
		{"1", &small},
		{int64(-1), &small},
		{nil, &small},
		{uint64(1), small},
		{uint64(1) << 63, &signed},
		{[]any{uint64(1), uint64(70000)}, &list},
		{uint64(1), &list},
		{[]byte{1}, &hash},
		{substrate.Record{{"b", uint64(1)}}, &named},
		{[]any{}, &named},
		{uint64(1), &named},
	} {
		if err := substrate.Into(c.v, c.dst); !errors.Is(err, substrate.ErrValue) {
			t.Errorf("%v into %T: %v, want ErrValue", c.v, c.dst, err)
		}
	}
	if err := substrate.Into(uint64(255), &small); err != nil || small != 255 {
		t.Errorf("255: %d (%v)", small, err)
	}
}

func ExampleSchema() {
	s := substrate.NewSchema()
	err := s.Define(`Axon = {port: u16, ip_type: u8}`)
	id, _ := s.Type("Option<Axon>")
	v, _ := s.Types.Decode(id, []byte{1, 0x9b, 0x1f, 4})
	fmt.Println(v, err)
	// Output: [{port 8091} {ip_type 4}] <nil>
}
