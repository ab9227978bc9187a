package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"targon"
	"targon/chain/chainvectors"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/wallet"
)

// commitRecording is a file commit-reveal.json: commits and reveals of one subnet, block
// by block, and what lay in storage at some time in between.
type commitRecording struct {
	NetUID targon.NetUID `json:"netuid"`
	Tempo  targon.Blocks `json:"tempo"`
	Period uint64        `json:"reveal_period_epochs"`
	Steps  []struct {
		Block targon.Block      `json:"block"`
		Calls []json.RawMessage `json:"calls"`
	} `json:"steps"`
	Commits stored         `json:"weight_commits_storage"`
	Weights []stored       `json:"weights_after"`
	Updated []targon.Block `json:"last_update_after"`
}

type stored struct {
	Key   string `json:"storage_key"`
	Value string `json:"value_hex"`
}

// TestReplayCommitReveal plays a recording in the same blocks: each commit and reveal
// ends as it did, and storage holds the same bytes under the same keys.
func TestReplayCommitReveal(t *testing.T) {
	for _, file := range chainvectors.Files(t, "commit-reveal*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var v commitRecording
			readJSON(t, file, &v)
			v.play(t)
		})
	}
}

func (v *commitRecording) play(t *testing.T) {
	calls := make([][]recorded, len(v.Steps))
	keys := map[string]*wallet.Key{}
	for i, step := range v.Steps {
		for _, raw := range step.Calls {
			var r recorded
			if err := json.Unmarshal(raw, &r); err != nil {
				t.Fatal(err)
			}
			if r.Spec != 0 && r.Spec != spec {
				t.Skipf("it is of spec %d, this chain speaks spec %d", r.Spec, spec)
			}
			key, err := wallet.Dev(r.URI)
			if err != nil {
				t.Fatal(err)
			}
			keys[r.URI] = key
			calls[i] = append(calls[i], r)
		}
	}
	s := newStage(t, v.config(keys), realMetadata(t, spec))
	seen := sightings{}
	updated := v.committers(keys, calls)
	for i, step := range v.Steps {
		for head := s.head(); head.Number+1 < step.Block; {
			head = s.chain.Step()
		}
		for _, r := range calls[i] {
			if err := s.submit(keys[r.URI], unhex(t, r.Call.Hex), nil); err != nil {
				t.Fatalf("%s: %v", r.Name, err)
			}
		}
		events := s.step()
		for place, r := range calls[i] {
			s.ended(&r, events, place+1)
		}
		for _, e := range append(slices.Clone(v.Weights), v.Commits) {
			raw, err := s.node.Storage(t.Context(), unhex(t, e.Key), s.head().Hash)
			if err != nil {
				t.Fatal(err)
			}
			seen.note("storage "+e.Key, bytes.Equal(raw, unhex(t, e.Value)))
		}
		column, err := s.ours.StorageValue("SubtensorModule", "LastUpdate", s.value(s.head().Hash, "SubtensorModule", "LastUpdate", v.NetUID))
		if err != nil {
			t.Fatal(err)
		}
		var now []targon.Block
		if err := substrate.Into(column, &now); err != nil {
			t.Fatal(err)
		}
		for _, uid := range updated {
			seen.note(fmt.Sprintf("last update of uid %d", uid), now[uid] == v.Updated[uid])
		}
	}
	seen.report(t)
}

// sightings are what a recording says was so at some time, and whether it was.
type sightings map[string]bool

func (s sightings) note(what string, so bool) { s[what] = s[what] || so }

func (s sightings) report(t *testing.T) {
	for what, so := range s {
		if !so {
			t.Errorf("%s was never as recorded", what)
		}
	}
	t.Logf("%d recorded values were seen", len(s))
}

func (s *stage) head() targon.Header {
	s.t.Helper()
	h, err := s.node.Finalised(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// config is the recorded subnet: a neuron for each last update, whose hotkeys are known
// by their name and hold stake.
func (v *commitRecording) config(keys map[string]*wallet.Key) local.Config {
	c := local.Config{NetUID: v.NetUID, Tempo: v.Tempo, Rules: local.Rules{PayStake: true, CommitReveal: true, RevealPeriod: v.Period}}
	for uid := range v.Updated {
		a := local.Account{Hotkey: targon.Hotkey{0xee, byte(uid)}, Register: true}
		for uri, k := range keys {
			if n, ok := slot(uri); ok && n == uid {
				a.Hotkey, a.Stake, a.Balance = k.Address(), rich, rich
			}
		}
		c.Accounts = append(c.Accounts, a)
	}
	return c
}

// committers lists the uids whose last update a commit of the recording made; those of
// others are from before it.
func (v *commitRecording) committers(keys map[string]*wallet.Key, calls [][]recorded) []int {
	var out []int
	for uri := range keys {
		uid, ok := slot(uri)
		if !ok || uid >= len(v.Updated) {
			continue
		}
		for i, list := range calls {
			if v.Steps[i].Block == v.Updated[uid] && slices.ContainsFunc(list, func(r recorded) bool { return r.URI == uri && r.reason() == "" }) {
				out = append(out, uid)
				break
			}
		}
	}
	return out
}
