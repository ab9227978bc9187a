package node

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"targon"
	"targon/bundle"
)

// A shelf of users' bundles holds at most so much.
const (
	mostUserBundles     = 4096
	mostUserBundleBytes = 128 << 20 // about, see bundle.Bundle.Memory
)

// userShelf keeps the bundles of users' audited answers for those who asked, for a while
// and in memory only: they hold users' texts. When it is full, the oldest gives way. Each
// is sealed when it is fetched. It does not know who may fetch what: the gateway does.
type userShelf struct {
	key   bundle.Signer
	fate  func(request targon.Digest) targon.Fate // what else became of a request
	age   time.Duration
	now   func() time.Time
	most  int
	bytes int64

	mu   sync.Mutex
	used int64
	held map[targon.Digest]bundle.Bundle
	line []shelved // oldest first
}

type shelved struct {
	request targon.Digest
	until   time.Time
	size    int64
}

func newUserShelf(key bundle.Signer, age time.Duration) *userShelf {
	return &userShelf{
		key: key, age: age, now: time.Now, most: mostUserBundles, bytes: mostUserBundleBytes, held: map[targon.Digest]bundle.Bundle{},
		fate: func(targon.Digest) targon.Fate { return targon.FateUnknown },
	}
}

// taker returns what takes in bundles; nil where none are kept.
func (s *userShelf) taker() func(bundle.Bundle) {
	if s.age <= 0 {
		return nil
	}
	return s.put
}

// put takes in a bundle that is not sealed yet.
func (s *userShelf) put(b bundle.Bundle) {
	now, one := s.now(), shelved{request: b.Arrived.Request, size: b.Memory()}
	one.until = now.Add(s.age)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.held[one.request]; twice || one.size > s.bytes {
		return
	}
	s.tidy(now, 1, one.size)
	s.held[one.request] = b
	s.line = append(s.line, one)
	s.used += one.size
}

// tidy removes what is too old, and the oldest until so many more of a size fit; mu is held.
func (s *userShelf) tidy(now time.Time, more int, size int64) {
	n := 0
	for _, old := range s.line {
		if now.Before(old.until) && len(s.held)+more <= s.most && s.used+size <= s.bytes {
			break
		}
		delete(s.held, old.request)
		s.used -= old.size
		n++
	}
	clear(s.line[:n])
	s.line = s.line[n:]
}

func (s *userShelf) get(request targon.Digest) (bundle.Bundle, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(s.now(), 0, 0)
	b, ok := s.held[request]
	return b, ok
}

// Bundle returns the bundle of a user's request as a file, or what became of it instead.
func (s *userShelf) Bundle(_ context.Context, request targon.Digest) (targon.Fate, []byte, error) {
	b, ok := s.get(request)
	if !ok {
		fate := s.fate(request)
		if b, ok = s.get(request); !ok { // else the verifier has handed it over just now
			return fate, nil, nil
		}
	}
	if err := b.Sign(s.key); err != nil {
		return targon.FateUnknown, nil, err
	}
	text, err := json.Marshal(b)
	switch {
	case err != nil:
		return targon.FateUnknown, nil, fmt.Errorf("encode bundle: %w", err)
	case len(text) > bundle.MaxBytes:
		return targon.FateGone, nil, nil // nobody could read it
	}
	return targon.FateReady, text, nil
}
