package prover

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"targon"
)

// capacityLife is how long a signed statement is handed out again, so that asking
// for it is not a way to make us sign.
const capacityLife = 30 * time.Second

// serveCapacity answers anybody: what it says is public, and cheap.
func (p *Prover) serveCapacity(w http.ResponseWriter, r *http.Request) {
	body, err := p.signedCapacity()
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a caller that has gone cannot be told so
}

func (p *Prover) signedCapacity() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.c.Now()
	if p.capacity != nil && now.Before(p.renew) {
		return p.capacity, nil
	}
	c := targon.Capacity{
		Prover: p.c.Key.Hotkey(), Weights: p.c.Weights, Concurrent: uint32(p.c.PerCaller), Issued: now.UnixMilli(),
	}
	var err error
	if c.Signature, err = p.c.Key.Sign(c.Message()); err != nil {
		return nil, fmt.Errorf("sign capacity: %w", err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode capacity: %w", err)
	}
	p.capacity, p.renew = body, now.Add(capacityLife)
	return body, nil
}
