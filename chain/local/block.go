package local

import (
	"errors"
	"sync"

	"golang.org/x/crypto/blake2b"

	"targon"
	"targon/scale"
)

// subtensorPallet is where everything of Bittensor lies.
const subtensorPallet = "SubtensorModule"

// An event is what a block says that happened. Its value is as the metadata's type of
// the event wants it.
type event struct {
	extrinsic    int // place in the block; 0 is the block's own time stamp
	pallet, name string
	value        any
}

func (s *state) emit(pallet, name string, value any) {
	s.events = append(s.events, event{pallet: pallet, name: name, value: value})
}

// conclude gives the events since from to an extrinsic and adds how it ended. Of a
// call that failed nothing else happened.
func (s *state) conclude(from, extrinsic int, err error) {
	if err == nil {
		s.emit("System", "ExtrinsicSuccess", succeeded())
	} else {
		s.events = s.events[:from]
		s.emit("System", "ExtrinsicFailed", err)
	}
	for i := range s.events[from:] {
		s.events[from+i].extrinsic = extrinsic
	}
}

// A snapshot is a state that nothing changes any more. What it looks like in storage
// is worked out when somebody asks.
type snapshot struct {
	*state
	once  sync.Once
	pairs map[string][]byte
	keys  []string // in order
}

// sealed is one block and what came after it. Blocks that change nothing share the
// snapshot, whose own number is then an earlier one.
type sealed struct {
	number                            targon.Block
	parent, stateRoot, extrinsicsRoot targon.Digest
	extrinsics                        [][]byte
	events                            []event
	snapshot                          *snapshot // nil when it is too old
}

// hash is blake2b-256 of the header in SCALE, with no digest items.
func (b *sealed) hash() targon.Digest {
	w := &scale.Writer{}
	w.Raw(b.parent[:]...)
	w.Compact(uint64(b.number))
	w.Raw(b.stateRoot[:]...)
	w.Raw(b.extrinsicsRoot[:]...)
	w.Len(0)
	return blake2b.Sum256(w.Bytes())
}

const (
	keptStates = 256     // what Substrate's nodes keep unless they are told otherwise
	keptBlocks = 1 << 16 // a client that was away so long begins anew
)

// errPruned says that a block is not known, or its state no longer.
var errPruned = errors.New("unknown block, or its state is discarded")

// kept holds the newest blocks.
type kept struct {
	by     map[targon.Digest]*sealed
	hashes []targon.Digest // of the newest, oldest first
}

func (k *kept) add(h targon.Header, b *sealed) {
	if k.by == nil {
		k.by = map[targon.Digest]*sealed{}
	}
	k.by[h.Hash] = b
	k.hashes = append(k.hashes, h.Hash)
	if n := len(k.hashes); n > keptStates && n-1-keptStates > 0 {
		k.by[k.hashes[n-1-keptStates]].snapshot = nil
	}
	if len(k.hashes) > keptBlocks {
		delete(k.by, k.hashes[0])
		k.hashes = k.hashes[1:]
	}
}

// block finds a block; the zero hash is the newest.
func (c *Chain) block(hash targon.Digest) (*sealed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if hash == (targon.Digest{}) {
		hash = c.hashes[len(c.hashes)-1]
	}
	b, ok := c.kept.by[hash]
	if !ok {
		return nil, errPruned
	}
	copied := *b // its snapshot may be dropped while somebody reads
	return &copied, nil
}

// clock is the chain's time in a block, in milliseconds.
func (c *Chain) clock(n targon.Block) int64 {
	return c.start.UnixMilli() + int64(n)*c.blockTime.Milliseconds()
}

// sinceStep is how many blocks ago an epoch ran, by the tempo that is in force.
func (b *sealed) sinceStep() uint64 {
	tempo := b.snapshot.rhythm()
	return uint64(tempo.Length) - uint64(tempo.Next(b.number+1)-b.number-1)
}
