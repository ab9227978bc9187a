package verifier

import "targon"

// recallMax is how many requests of users are remembered. A gateway may bring back what
// it asked for as long as its desk says, package desk: 15 minutes, in which a network
// with short epochs may have closed several; 145 requests a second fit into that.
const recallMax = 1 << 17

// recall remembers the last requests of users, so that none counts twice, in whichever
// epoch it is brought again, and what decided about each, for the user who asks. It is
// part of the ledger's fold, and so survives restarts.
type recall struct {
	seen map[targon.Digest]targon.Reason // none while there is no verdict
	ring []targon.Digest                 // the oldest is at next, once it is full
	next int
}

func (r *recall) has(d targon.Digest) bool {
	_, ok := r.seen[d]
	return ok
}

func (r *recall) add(d targon.Digest) {
	if r.seen == nil {
		r.seen = map[targon.Digest]targon.Reason{}
	}
	r.seen[d] = targon.ReasonNone
	if len(r.ring) < recallMax {
		r.ring = append(r.ring, d)
		return
	}
	delete(r.seen, r.ring[r.next])
	r.ring[r.next] = d
	r.next = (r.next + 1) % recallMax
}

// rule notes what decided about a request that is remembered.
func (r *recall) rule(d targon.Digest, why targon.Reason) {
	if _, ok := r.seen[d]; ok {
		r.seen[d] = why
	}
}
