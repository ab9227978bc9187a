package node

import (
	"net/http"
	"sync"
	"time"

	"targon"
)

// silence is how long the chain may say nothing before a role is no longer ready: ten
// blocks of the real chain.
const silence = 2 * time.Minute

// health is what a role tells whoever asks whether it is ready.
type health struct {
	hotkey targon.Hotkey
	now    func() time.Time

	mu         sync.Mutex
	seen       time.Time // when the chain was last read
	block      targon.Block
	registered bool
	announced  bool
}

func (h *health) saw(m targon.Metagraph) {
	_, ok := m.ByHotkey(h.hotkey)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen, h.block, h.registered = h.now(), m.Block, ok
}

func (h *health) announce(done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.announced = done
}

func (h *health) isAnnounced() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.announced
}

// Readiness is the answer of /readyz and /healthz.
type Readiness struct {
	Ready  bool          `json:"ready"`
	Reason string        `json:"reason,omitempty"` // why not
	Hotkey targon.Hotkey `json:"hotkey"`
	Block  targon.Block  `json:"block"` // the newest that was read
}

func (h *health) readiness() Readiness {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := Readiness{Hotkey: h.hotkey, Block: h.block}
	switch {
	case h.now().Sub(h.seen) > silence:
		r.Reason = "the chain has not been read for " + silence.String()
	case !h.registered:
		r.Reason = "the hotkey is not registered on the subnet"
	case !h.announced:
		r.Reason = "the chain has not taken the address yet"
	default:
		r.Ready = true
	}
	return r
}

// ServeHTTP answers 200 when the role is ready and 503 with the reason otherwise.
func (h *health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r := h.readiness()
	writeReadiness(w, r.Ready, r)
}
