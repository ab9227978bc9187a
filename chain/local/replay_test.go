package local_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"targon"
	"targon/chain/chainvectors"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/wallet"
)

// recorded is a call of a recording and what a real runtime made of it. The recording
// does not hold the state before it; scene.go arranges one in which it must end so.
type recorded struct {
	Name  string `json:"name"`
	URI   string `json:"signer_uri"`
	Spec  int    `json:"spec_version"`
	Index *int   `json:"extrinsic_index"`
	Call  struct {
		Hex string `json:"call_hex"`
	} `json:"call"`
	Outcome string   `json:"outcome"`
	Events  []string `json:"events"`
	Pool    struct {
		Error *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Data    any    `json:"data"`
		} `json:"error"`
	} `json:"pool"`
	Error struct {
		Module *uint8 `json:"module_index"`
		Index  uint8  `json:"error_index"`
		Bytes  string `json:"error_bytes"`
		Name   string `json:"name"`
		Other  any    `json:"other"`
	} `json:"error"`
}

// reason is why the call was refused in the block, as the chain's source names it; "" for
// success.
func (r *recorded) reason() string {
	switch other := r.Error.Other.(type) {
	case string:
		return other
	case map[string]any:
		for group, name := range other {
			return fmt.Sprintf("%s.%v", group, name)
		}
	}
	return r.Error.Name
}

// refusal is what the pool said, nil when it took the call.
func (r *recorded) refusal() *substrate.PoolError {
	if e := r.Pool.Error; e != nil {
		data, _ := e.Data.(string)
		return substrate.ParsePoolError(e.Code, e.Message, data)
	}
	return nil
}

func readJSON(t testing.TB, file string, dst any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, dst)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// realMetadata is that of the runtime that a recording is of.
func realMetadata(t testing.TB, spec int) *substrate.Metadata {
	t.Helper()
	f, err := os.Open(chainvectors.Metadata(t, spec))
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
	m, err := substrate.ParseMetadata(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// stage is a chain behind a socket whose blocks the test makes.
type stage struct {
	t     testing.TB
	chain *local.Chain
	node  *rpc.Client
	ours  *substrate.Metadata // as the chain serves it
	real  *substrate.Metadata // as the recorded runtime does
	terms substrate.Terms
}

func newStage(t testing.TB, config local.Config, real *substrate.Metadata) *stage {
	t.Helper()
	config.BlockTime = time.Hour
	c, endpoint := serve(t, config)
	s := &stage{t: t, chain: c, node: connect(t, endpoint), real: real}
	genesis, err := s.node.Genesis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rt, err := s.node.Runtime(t.Context(), genesis)
	if err != nil {
		t.Fatal(err)
	}
	s.ours = rt.Metadata
	s.terms = substrate.Terms{Spec: rt.Spec, Transaction: rt.Transaction, Genesis: genesis, Start: genesis}
	return s
}

// submit signs call bytes for the account's next nonce, lets spoil change what is sent,
// and returns what the pool said.
func (s *stage) submit(key *wallet.Key, call []byte, spoil func(terms *substrate.Terms, raw *[]byte)) error {
	s.t.Helper()
	terms := s.terms
	var err error
	if terms.Nonce, err = s.node.Nonce(s.t.Context(), key.Address()); err != nil {
		s.t.Fatal(err)
	}
	var raw []byte
	if spoil != nil {
		spoil(&terms, &raw)
	}
	if raw, err = s.ours.SignExtrinsic(key.Signer(), call, terms); err != nil {
		s.t.Fatal(err)
	}
	if spoil != nil {
		spoil(&terms, &raw)
	}
	var name rpc.Hex
	return s.node.Write(s.t.Context(), &name, "author_submitExtrinsic", rpc.Hex(raw))
}

// step makes a block and returns its events, once as read with the metadata that the
// chain serves; read with the real runtime's they must say the same.
func (s *stage) step() []substrate.Event {
	s.t.Helper()
	h := s.chain.Step()
	raw := s.value(h.Hash, "System", "Events")
	events, err := s.ours.Events(raw)
	if err != nil {
		s.t.Fatal(err)
	}
	again, err := s.real.Events(raw)
	if err != nil || len(again) != len(events) {
		s.t.Fatalf("block %d: the real runtime's metadata reads %d events, %v; want %d", h.Number, len(again), err, len(events))
	}
	for i, e := range events {
		r := again[i]
		if r.Pallet != e.Pallet || r.Name != e.Name || r.PalletIndex != e.PalletIndex || r.Index != e.Index || fmt.Sprint(r.Fields) != fmt.Sprint(e.Fields) {
			s.t.Errorf("block %d: event %v reads as %v in the real runtime", h.Number, e, r)
		}
	}
	return events
}

func (s *stage) value(at targon.Digest, pallet, entry string, keys ...any) []byte {
	s.t.Helper()
	key, err := s.ours.StorageKey(pallet, entry, keys...)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := s.node.Storage(s.t.Context(), key, at)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// refused compares what the pool said with what was recorded, and the form of a
// real node's answer.
func (s *stage) refused(r *recorded, err error) {
	s.t.Helper()
	e, ok := errors.AsType[*rpc.Error](err)
	if !ok {
		s.t.Errorf("%s: the pool says %v, recorded %v", r.Name, err, r.refusal())
		return
	}
	got, want := substrate.ParsePoolError(e.Code, e.Message, e.Text()), r.refusal()
	if got == nil || want == nil || *got != *want || e.Code != r.Pool.Error.Code {
		s.t.Errorf("%s: the pool says %d %v, recorded %d %v", r.Name, e.Code, got, r.Pool.Error.Code, want)
	}
	if e.Code == 1010 && e.Message != "Invalid Transaction" {
		s.t.Errorf("%s: a node's message is %q", r.Name, e.Message)
	}
	if want != nil && want.Name == "Custom" && !strings.Contains(e.Text(), fmt.Sprintf("Custom error: %d", want.Custom)) {
		s.t.Errorf("%s: a node's data is %s", r.Name, e.Text())
	}
}

// ended compares how the extrinsic at a place of its block ended with what was
// recorded: the error by its name and bytes, and the events by name. Of the latter
// those of fees are left out, of which there are none here, those of new accounts, which
// depend on who was there before, and what this chain's metadata does not have.
func (s *stage) ended(r *recorded, events []substrate.Event, place int) {
	s.t.Helper()
	err := s.ours.Outcome(events, place)
	e, failed := errors.AsType[*substrate.DispatchError](err)
	if r.reason() == "" {
		if err != nil {
			s.t.Errorf("%s: %v, recorded as done", r.Name, err)
		}
	} else if !failed || e.Name != r.reason() {
		s.t.Errorf("%s: %v, recorded %s", r.Name, err, r.reason())
	}
	if r.Error.Module != nil {
		want := append([]byte{3, *r.Error.Module}, unhex(s.t, r.Error.Bytes)...)
		if !slices.ContainsFunc(events, func(e substrate.Event) bool {
			n, _ := e.Extrinsic()
			return n == place && slices.ContainsFunc(e.Fields, func(f substrate.EventField) bool { return bytes.Equal(f.Raw, want) })
		}) {
			s.t.Errorf("%s: no event holds the error %x", r.Name, want)
		}
	}
	if r.Events == nil {
		return
	}
	var got, want []string
	about := func(pallet, event string) bool { return pallet != "balances" && event != "NewAccount" }
	for _, e := range events {
		if n, _ := e.Extrinsic(); n == place && about(strings.ToLower(e.Pallet), e.Name) {
			got = append(got, strings.ToLower(e.Pallet)+"."+e.Name)
		}
	}
	for _, name := range r.Events {
		pallet, event, _ := strings.Cut(name, ".")
		if pallet = strings.ToLower(pallet); about(pallet, event) && s.has(pallet, event) {
			want = append(want, pallet+"."+event)
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: events %v, recorded %v", r.Name, got, want)
	}
}

func (s *stage) has(pallet, event string) bool {
	for _, p := range s.ours.Pallets {
		if strings.EqualFold(p.Name, pallet) && p.Events != nil {
			list, _ := s.ours.Types.Type(*p.Events).Def.(substrate.Variants)
			return slices.ContainsFunc(list.List, func(v substrate.VariantType) bool { return v.Name == event })
		}
	}
	return false
}

// slot is the uid of a recording's hotkey, which its name tells: //hkN is uid N.
func slot(uri string) (uid int, ok bool) {
	digits, ok := strings.CutPrefix(uri, "//hk")
	uid, err := strconv.Atoi(digits)
	return uid, ok && err == nil
}

// TestReplay: what a real runtime refused and took, this chain refuses and takes in the
// same terms, over its socket: the same bytes of the same call by the same signer, the
// same pool's numbers, the same errors and events.
func TestReplay(t *testing.T) {
	for _, file := range chainvectors.Files(t, "wire-*.json") {
		var v struct {
			Calls      []json.RawMessage `json:"calls"`
			Extrinsics []json.RawMessage `json:"extrinsics"`
			Blocks     []json.RawMessage `json:"blocks"`
		}
		readJSON(t, file, &v)
		list := slices.Concat(v.Calls, v.Extrinsics)
		if len(list) == 0 || v.Blocks == nil {
			continue // of another kind
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			real, played := realMetadata(t, spec), 0
			for _, raw := range list {
				var r recorded
				if err := json.Unmarshal(raw, &r); err != nil {
					t.Fatal(err)
				}
				if why := replay(t, &r, real); why != "" {
					t.Logf("not replayed: %s: %s", r.Name, why)
					continue
				}
				played++
			}
			t.Logf("%d of %d calls replayed", played, len(list))
			if os.Getenv(chainvectors.Variable) == "" && played != len(list) {
				t.Error("a call of the default recordings was not replayed")
			}
		})
	}
}

// replay plays one call on a stage of its own and returns why it cannot be, if so.
func replay(t *testing.T, r *recorded, real *substrate.Metadata) (impossible string) {
	t.Helper()
	call := unhex(t, r.Call.Hex)
	sc, err := arrange(local.Metadata(), r, call)
	if err != nil {
		return err.Error()
	}
	t.Run(r.Name, func(t *testing.T) {
		s := newStage(t, sc.config, real)
		for _, before := range sc.before {
			if err := s.submit(sc.signer, before, nil); err != nil {
				t.Fatalf("before it: %v", err)
			}
			s.step()
		}
		err := s.submit(sc.signer, call, sc.spoil)
		if r.refusal() != nil {
			s.refused(r, err)
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		s.ended(r, s.step(), 1)
	})
	return ""
}
