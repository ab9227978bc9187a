package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"targon"
)

// Key is one user's right to come in. The key itself is not held.
type Key struct {
	Name       string        // for logs
	SHA256     targon.Digest // of the key's text, see HashKey
	Concurrent int           // requests at a time; 0: no limit
	PerMinute  int           // requests a minute on average; 0: no limit
	Burst      int           // requests at once after a pause; 0: PerMinute
	PerDay     int           // ids a day (UTC) of prompts and answers together; 0: no limit
}

// MaxKey is how many bytes a key may have.
const MaxKey = 512

// HashKey returns what a Key holds instead of the key.
func HashKey(key string) targon.Digest { return sha256.Sum256([]byte(key)) }

// door counts who is inside. A holder's bucket and count are behind mu.
type door struct {
	mu        sync.Mutex
	holders   []*holder
	strangers atomic.Uint64 // who had no known key
}

type holder struct {
	Key
	inside int
	tokens float64 // what is left in the bucket at time at
	at     time.Time
	claims claims // these two behind locks of their own
	meter  meter
}

// A pass is a holder's place inside, until leave gives it back.
type pass struct {
	*holder
	left  int // requests that the bucket holds after this one
	leave func()
}

func newDoor(keys []Key) *door {
	d := &door{}
	for _, k := range keys {
		if k.Burst <= 0 {
			k.Burst = k.PerMinute
		}
		d.holders = append(d.holders, &holder{Key: k, tokens: float64(k.Burst)})
	}
	return d
}

// enter finds the key and takes a place. Who is refused for his limits gets a pass that
// only says what they are.
func (d *door) enter(authorization string, now time.Time) (*pass, error) {
	h := d.find(authorization)
	if h == nil {
		d.strangers.Add(1)
		return nil, errKey
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	wait := time.Second
	if h.Concurrent <= 0 || h.inside < h.Concurrent {
		wait = h.take(now)
	}
	if wait > 0 {
		h.meter.add(use{ending: limited}, now)
		return &pass{holder: h, left: max(0, int(h.tokens))}, &limitError{after: wait}
	}
	h.inside++
	return &pass{holder: h, left: max(0, int(h.tokens)), leave: func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		h.inside--
	}}, nil
}

// charge takes further requests from a bucket, also those that it does not hold yet.
func (d *door) charge(p *pass, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.PerMinute > 0 {
		p.tokens -= float64(n)
		p.left = max(0, int(p.tokens))
	}
}

// find compares with every key, in the same time for all of them, so that how
// long a refusal takes says nothing about the keys.
func (d *door) find(authorization string) *holder {
	scheme, key, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(key) > MaxKey {
		return nil
	}
	sum := HashKey(strings.TrimSpace(key))
	var found *holder
	for _, h := range d.holders {
		if subtle.ConstantTimeCompare(sum[:], h.SHA256[:]) == 1 {
			found = h
		}
	}
	return found
}

// take takes one request from the bucket, or says how long until there is one.
func (h *holder) take(now time.Time) time.Duration {
	if h.PerMinute <= 0 {
		return 0
	}
	rate := float64(h.PerMinute) / time.Minute.Seconds() // requests a second
	if !h.at.IsZero() {
		h.tokens = min(float64(h.Burst), h.tokens+rate*now.Sub(h.at).Seconds())
	}
	h.at = now
	if h.tokens < 1 {
		return max(1, time.Duration((1-h.tokens)/rate*float64(time.Second)))
	}
	h.tokens--
	return 0
}
