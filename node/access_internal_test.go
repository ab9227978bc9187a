package node

import (
	"errors"
	"testing"
	"time"

	"targon"
)

func TestAccessRules(t *testing.T) {
	permit, plain, stranger := targon.Hotkey{1}, targon.Hotkey{2}, targon.Hotkey{3}
	m := targon.Metagraph{Neurons: []targon.Neuron{{UID: 0, Hotkey: permit, Permit: true}, {UID: 1, Hotkey: plain}}}
	for _, c := range []struct {
		rule            AccessRule
		plain, stranger error
	}{
		{AccessRule{}, errNoPermit, errUnregistered},
		{AccessRule{Registered: true}, nil, errUnregistered},
		{AccessRule{Unregistered: true}, errNoPermit, nil},
		{AccessRule{Registered: true, Unregistered: true}, nil, nil},
	} {
		p := &permits{rule: c.rule}
		if err := p.Admit(permit); err == nil {
			t.Errorf("%+v: somebody is admitted before the subnet is known", c.rule)
		}
		p.learn(m)
		for h, want := range map[targon.Hotkey]error{permit: nil, plain: c.plain, stranger: c.stranger} {
			if got := p.Admit(h); !errors.Is(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%+v: %s: %v, want %v", c.rule, h, got, want)
			}
		}
	}
}

func TestReadiness(t *testing.T) {
	now := time.Unix(0, 0)
	h := &health{hotkey: targon.Hotkey{1}, now: func() time.Time { return now }}
	want := func(reason string) {
		t.Helper()
		if r := h.readiness(); r.Ready != (reason == "") || r.Reason != reason {
			t.Errorf("%+v, want reason %q", r, reason)
		}
	}
	want("the chain has not been read for 2m0s")
	h.saw(targon.Metagraph{Block: 5})
	want("the hotkey is not registered on the subnet")
	h.saw(targon.Metagraph{Block: 6, Neurons: []targon.Neuron{{Hotkey: h.hotkey}}})
	want("the chain has not taken the address yet")
	h.announce(true)
	want("")
	now = now.Add(silence)
	want("")
	now = now.Add(1)
	want("the chain has not been read for 2m0s")
}
