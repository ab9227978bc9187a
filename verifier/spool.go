package verifier

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"targon"
)

// errSpool says that the spool cannot hold a text. It is our fault, never the
// prover's.
var errSpool = errors.New("spool cannot hold the text")

// A spool keeps transcripts between their arrival and their draw or verdict. They
// are sealed with AES-256-GCM under a key that lives in this process only, so what
// a crash leaves in the folder can be read by nobody, us included.
type spool struct {
	seal  cipher.AEAD
	dir   string // empty: the sealed texts stay in memory
	limit int64

	mu      sync.Mutex
	held    map[targon.Digest]sealed
	used    int64
	largest int64  // so far; room is left for one more of this size
	count   uint64 // texts ever sealed; numbers the nonces of this key
}

type sealed struct {
	nonce [12]byte
	size  int64
	text  []byte // nil when it lies in a file
}

const sealedSuffix = ".sealed"

// openSpool makes a new key and deletes what an earlier process left in dir.
func openSpool(dir string, limit int64) (*spool, error) {
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, fmt.Errorf("make spool key: %w", err)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("make spool cipher: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make spool cipher: %w", err)
	}
	s := &spool{seal: gcm, dir: dir, limit: limit, held: map[targon.Digest]sealed{}}
	if dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"+sealedSuffix))
	if err != nil {
		return nil, fmt.Errorf("list spool folder: %w", err)
	}
	for _, f := range left {
		if err := os.Remove(f); err != nil {
			return nil, fmt.Errorf("clear spool folder: %w", err)
		}
	}
	return s, nil
}

// put seals a transcript under its request digest.
func (s *spool) put(d targon.Digest, t targon.Transcript) error {
	plain, err := t.MarshalBinary()
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	e := sealed{size: int64(len(plain) + s.seal.Overhead())}
	s.mu.Lock()
	s.largest = max(s.largest, e.size)
	_, twice := s.held[d]
	if twice || s.used+e.size > s.limit {
		s.mu.Unlock()
		return fmt.Errorf("%w: %d of %d bytes are in use", errSpool, s.used, s.limit)
	}
	s.count++
	binary.LittleEndian.PutUint64(e.nonce[:], s.count)
	s.used += e.size
	s.held[d] = e
	s.mu.Unlock()

	e.text = s.seal.Seal(nil, e.nonce[:], plain, d[:])
	if s.dir != "" {
		err := os.WriteFile(s.path(d), e.text, 0o600)
		e.text = nil
		if err != nil {
			s.drop(d)
			return fmt.Errorf("%w: %w", errSpool, err)
		}
	}
	s.mu.Lock()
	s.held[d] = e
	s.mu.Unlock()
	return nil
}

// get opens a transcript.
func (s *spool) get(d targon.Digest) (targon.Transcript, error) {
	var t targon.Transcript
	s.mu.Lock()
	e, ok := s.held[d]
	s.mu.Unlock()
	if !ok {
		return t, fmt.Errorf("%w: nothing is held for request %s", errSpool, d)
	}
	if s.dir != "" {
		text, err := os.ReadFile(s.path(d))
		if err != nil {
			return t, fmt.Errorf("read spool: %w", err)
		}
		e.text = text
	}
	plain, err := s.seal.Open(nil, e.nonce[:], e.text, d[:])
	if err != nil {
		return t, fmt.Errorf("open sealed text of request %s: %w", d, err)
	}
	if err := t.UnmarshalBinary(plain); err != nil {
		return t, fmt.Errorf("read sealed text of request %s: %w", d, err)
	}
	return t, nil
}

// drop deletes a transcript. What cannot be deleted cannot be read either once
// this process ends, and the next one deletes it.
func (s *spool) drop(d targon.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.held[d]
	if !ok {
		return
	}
	delete(s.held, d)
	s.used -= e.size
	if s.dir != "" {
		_ = os.Remove(s.path(d))
	}
}

// room reports whether one more text as large as the largest so far would fit.
func (s *spool) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used+s.largest <= s.limit
}

func (s *spool) path(d targon.Digest) string {
	return filepath.Join(s.dir, d.String()+sealedSuffix)
}
