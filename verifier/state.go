package verifier

import (
	"errors"
	"fmt"
	"slices"

	"targon"
	"targon/evidence"
	"targon/proof"
	"targon/score"
	"targon/weights"
)

// ErrLedger says that a ledger contradicts itself: its entries cannot have been
// written by a verifier in this order.
var ErrLedger = errors.New("ledger contradicts itself")

// State is what a ledger says: a fold of its entries in order, and of nothing
// else. A running verifier and a replay hold equal states.
//
// It keeps the arrivals of an epoch until the epoch's weights are decided, and
// counters for ever after.
type State struct {
	policy   score.Throughput
	epochs   []*epoch // opened and without decided weights, oldest first
	next     targon.Epoch
	book     score.Book
	dossiers map[account]*dossier
	debts    map[targon.Hotkey]*debt // of those that were ever convicted
	tallies  map[targon.Hotkey]*tally
	// Convictions that the ledger does not record yet, in its order.
	unrecorded []account

	users recall // requests of users, beyond the end of their epoch

	scored  targon.ScoresMade
	barred  map[targon.UID]bool // convicted, or not cleared, when the epoch was scored
	decided targon.WeightsDecided
	set     targon.WeightsSet
	// How many epochs have been closed, decided and set, to tell the zero values
	// above from those of epoch 0.
	closes, decisions, sets uint64

	entries uint64 // folded so far
	newest  targon.Block
}

// account is what evidence is kept for.
type account struct {
	prover targon.Hotkey
	month  targon.Month
}

// epoch is one epoch on its way from its opening to its weights.
type epoch struct {
	opened   targon.EpochOpened
	end      targon.Block // first block after it; 0 while it is the newest
	records  []*record    // in the ledger's order
	byDigest map[targon.Digest]*record
	unjudged int
	audited  map[targon.Hotkey]uint64 // ids in answers that were drawn and decided
	rates    map[targon.Hotkey]uint32 // of provers that are audited more often; see rate
	closed   bool
	scored   bool
}

// record is one arrival and what became of it.
type record struct {
	arrived targon.Arrived
	verdict targon.Verdict // none yet: OutcomeNone
}

// NewState returns the state of an empty ledger. The policy must be the one that
// made the ledger's scores.
func NewState(p score.Throughput) *State {
	return &State{
		policy: p, dossiers: map[account]*dossier{}, debts: map[targon.Hotkey]*debt{}, tallies: map[targon.Hotkey]*tally{},
	}
}

// Apply folds one entry. After an error the state is of no use.
func (s *State) Apply(e targon.Entry) error {
	var err error
	switch e := e.(type) {
	case targon.EpochOpened:
		err = s.open(e)
	case targon.Arrived:
		err = s.arrive(e)
	case targon.Judged:
		err = s.judge(e)
	case targon.RateSet:
		err = s.raise(e)
	case targon.Convicted:
		err = s.record(e)
	case targon.EpochClosed:
		err = s.close(e)
	case targon.ScoresMade:
		err = s.score(e)
	case targon.WeightsDecided:
		err = s.decide(e)
	case targon.WeightsSet:
		err = s.confirm(e)
	default:
		err = fmt.Errorf("%w: entry of type %T", ErrLedger, e)
	}
	s.entries++
	if err != nil {
		return fmt.Errorf("entry %d: %w", s.entries, err)
	}
	return nil
}

func (s *State) open(e targon.EpochOpened) error {
	if e.Epoch != s.next {
		return fmt.Errorf("%w: epoch %d is opened, want %d", ErrLedger, e.Epoch, s.next)
	}
	if last := s.current(); last != nil {
		if e.Block <= last.opened.Block {
			return fmt.Errorf("%w: epoch %d opens at block %d, the one before at %d", ErrLedger, e.Epoch, e.Block, last.opened.Block)
		}
		if s.newest >= e.Block {
			return fmt.Errorf("%w: epoch %d opens at block %d, an arrival is dated %d", ErrLedger, e.Epoch, e.Block, s.newest)
		}
		last.end = e.Block
	}
	s.next++
	s.newest = max(s.newest, e.Block)
	s.epochs = append(s.epochs, &epoch{opened: e, byDigest: map[targon.Digest]*record{}, audited: map[targon.Hotkey]uint64{}})
	return nil
}

func (s *State) arrive(a targon.Arrived) error {
	e := s.find(a.Epoch)
	switch {
	case e == nil || e.closed:
		return fmt.Errorf("%w: arrival in epoch %d, which is not open", ErrLedger, a.Epoch)
	case a.Block < e.opened.Block || e.end != 0 && a.Block >= e.end:
		return fmt.Errorf("%w: arrival at block %d is outside epoch %d", ErrLedger, a.Block, a.Epoch)
	case s.known(a.Request):
		return fmt.Errorf("%w: request %s arrives twice", ErrLedger, a.Request)
	}
	r := &record{arrived: a}
	e.records = append(e.records, r)
	e.byDigest[a.Request] = r
	e.unjudged++
	if a.Origin == targon.OriginOrganic {
		s.users.add(a.Request)
	}
	s.newest = max(s.newest, a.Block)
	s.tally(a.Prover, a.UID).arrive(a)
	return nil
}

func (s *State) judge(j targon.Judged) error {
	e := s.find(j.Epoch)
	if e == nil || e.closed {
		return fmt.Errorf("%w: verdict in epoch %d, which is not open", ErrLedger, j.Epoch)
	}
	r := e.byDigest[j.Verdict.Request]
	switch {
	case r == nil:
		return fmt.Errorf("%w: verdict on request %s, which never arrived", ErrLedger, j.Verdict.Request)
	case r.verdict.Outcome != targon.OutcomeNone:
		return fmt.Errorf("%w: request %s is judged twice", ErrLedger, j.Verdict.Request)
	case j.Verdict.Outcome == targon.OutcomeNone || j.Verdict.Reason.Outcome() != j.Verdict.Outcome:
		return fmt.Errorf("%w: request %s is %s with reason %s", ErrLedger, j.Verdict.Request, j.Verdict.Outcome, j.Verdict.Reason)
	case j.Verdict.Prover != r.arrived.Prover || j.UID != r.arrived.UID:
		return fmt.Errorf("%w: request %s is judged against another prover", ErrLedger, j.Verdict.Request)
	case j.Verdict.Receipt != receiptOf(r.arrived):
		return fmt.Errorf("%w: request %s is judged by another receipt", ErrLedger, j.Verdict.Request)
	}
	if _, ok := evidence.BetOf(j.Verdict.Bet); !ok && len(j.Verdict.Bet) > 0 {
		return fmt.Errorf("%w: request %s carries a bet that nobody makes", ErrLedger, j.Verdict.Request)
	}
	r.verdict = j.Verdict
	r.verdict.Detail = "" // for people who read the ledger
	e.unjudged--
	s.users.rule(j.Verdict.Request, j.Verdict.Reason)
	if audited(j.Verdict.Reason) {
		e.audited[r.arrived.Prover] += uint64(j.Verdict.Tokens)
	}
	s.tally(r.arrived.Prover, r.arrived.UID).judge(r)
	s.weigh(r)
	s.repute(r)
	s.clear(r)
	// Kept to score the epoch by, which needs none of these.
	r.verdict.Tally, r.verdict.Nulls, r.verdict.Bet = targon.Tally{}, nil, nil
	return nil
}

func (s *State) close(c targon.EpochClosed) error {
	e := s.find(c.Epoch)
	switch {
	case e == nil || e.closed || e != s.epochs[0]:
		return fmt.Errorf("%w: epoch %d is closed out of turn", ErrLedger, c.Epoch)
	case e.end == 0 || e.end != c.Block:
		return fmt.Errorf("%w: epoch %d is closed at block %d, the next opens at %d", ErrLedger, c.Epoch, c.Block, e.end)
	case e.unjudged != 0:
		return fmt.Errorf("%w: epoch %d is closed with %d arrivals unjudged", ErrLedger, c.Epoch, e.unjudged)
	}
	if err := e.bound(c); err != nil {
		return err
	}
	e.closed = true
	s.closes++
	return nil
}

// score folds the policy's own state. The provers are those that were scored, so
// that nothing but the ledger is needed to repeat it.
func (s *State) score(m targon.ScoresMade) error {
	e := s.find(m.Epoch)
	if e == nil || !e.closed || e.scored {
		return fmt.Errorf("%w: epoch %d is scored out of turn", ErrLedger, m.Epoch)
	}
	provers := make([]targon.Neuron, len(m.Scores))
	for i, sc := range m.Scores {
		provers[i] = targon.Neuron{UID: sc.UID, Hotkey: sc.Hotkey}
	}
	s.book, _ = s.scores(e, provers)
	e.scored = true
	s.scored = m
	s.barred = map[targon.UID]bool{}
	for _, sc := range m.Scores {
		s.barred[sc.UID] = s.convicted(sc.Hotkey, targon.MonthOf(e.opened.Block), targon.MonthOf(e.end-1)) || s.owing(sc.Hotkey, e)
	}
	return nil
}

// scores is what the policy makes of an epoch. It changes nothing.
func (s *State) scores(e *epoch, provers []targon.Neuron) (score.Book, []targon.Score) {
	bare := make([]targon.Neuron, len(provers)) // the policy sees what the ledger will hold
	for i, n := range provers {
		bare[i] = targon.Neuron{UID: n.UID, Hotkey: n.Hotkey}
	}
	return s.policy.Close(s.book, bare, e.samples())
}

func (s *State) decide(d targon.WeightsDecided) error {
	e := s.find(d.Epoch)
	if e == nil && s.decisions > 0 && d.Epoch <= s.decided.Epoch {
		if d.Epoch == s.decided.Epoch {
			s.decided = d // anew: somebody left before the chain took them
		}
		return nil // otherwise a later epoch has overtaken it
	}
	if e == nil || !e.scored || e != s.epochs[0] {
		return fmt.Errorf("%w: weights of epoch %d are decided out of turn", ErrLedger, d.Epoch)
	}
	s.decided = d
	s.decisions++
	s.epochs = s.epochs[1:]
	return nil
}

func (s *State) confirm(w targon.WeightsSet) error {
	if s.decisions == 0 || w.Epoch > s.decided.Epoch || s.sets > 0 && w.Epoch <= s.set.Epoch {
		return fmt.Errorf("%w: weights of epoch %d are set, but not decided or set before", ErrLedger, w.Epoch)
	}
	s.set = w
	s.sets++
	return nil
}

// weights is the vector that the last scores call for: 0 for the convicted and for those
// not cleared yet, and no entry for those that keep is false of. Who they are was settled when the
// scores were made, so that a verdict which comes just now changes nothing.
func (s *State) weights(keep func(targon.Score) bool) targon.Weights {
	var scores []targon.Score
	for _, sc := range s.scored.Scores {
		if keep(sc) {
			scores = append(scores, sc)
		}
	}
	return weights.Of(scores, s.barred)
}

// convicted reports whether a prover is convicted in one of the months.
func (s *State) convicted(h targon.Hotkey, first, last targon.Month) bool {
	for m := first; m <= last; m++ {
		if d := s.dossiers[account{h, m}]; d != nil && d.evidence.Convicted {
			return true
		}
	}
	return false
}

// burst applies the burst rule to an answer among all that arrived about when it did.
func (s *State) burst(a targon.Arrived) targon.Reason {
	if proof.Burst(a, nil) == targon.ReasonNone {
		return targon.ReasonNone
	}
	const near = 5000 // milliseconds; the rule itself is narrower
	var others []targon.Arrived
	for _, e := range s.epochs {
		for _, r := range e.records {
			if d := r.arrived.Timing.Ended - a.Timing.Ended; -near <= d && d <= near {
				others = append(others, r.arrived)
			}
		}
	}
	return proof.Burst(a, others)
}

// samples joins an epoch's arrivals with their verdicts, in the ledger's order. An
// answer that its user opted out of audit earns nothing, so it is left out: without
// an audit it would only stand for answers that nobody looked at.
func (e *epoch) samples() []score.Sample {
	out := make([]score.Sample, 0, len(e.records))
	for _, r := range e.records {
		v := r.verdict
		if v.Reason == targon.ReasonOptedOut {
			continue
		}
		out = append(out, score.Sample{
			UID: r.arrived.UID, Hotkey: r.arrived.Prover, Origin: r.arrived.Origin,
			Tokens: r.arrived.Receipt.Tokens, Total: r.arrived.Timing.Total,
			Passed: v.Outcome == targon.Passed, Failed: v.Outcome == targon.Failed,
			Buffered: v.Reason == targon.ReasonBuffered,
		})
	}
	return out
}

// current returns the newest epoch, nil before the first.
func (s *State) current() *epoch {
	if len(s.epochs) == 0 {
		return nil
	}
	return s.epochs[len(s.epochs)-1]
}

// at returns the epoch that an arrival at block b belongs to.
func (s *State) at(b targon.Block) *epoch {
	for _, e := range slices.Backward(s.epochs) {
		if e.opened.Block <= b {
			return e
		}
	}
	return nil
}

func (s *State) find(n targon.Epoch) *epoch {
	for _, e := range s.epochs {
		if e.opened.Epoch == n {
			return e
		}
	}
	return nil
}

// known reports whether a request is on record in an epoch that still counts, or, if it
// was a user's, among the last that were recorded at all.
func (s *State) known(request targon.Digest) bool {
	if s.users.has(request) {
		return true
	}
	for _, e := range s.epochs {
		if e.byDigest[request] != nil {
			return true
		}
	}
	return false
}

// unjudged returns the arrivals without a verdict, in the ledger's order.
func (s *State) unjudged() []targon.Arrived {
	var out []targon.Arrived
	for _, e := range s.epochs {
		for _, r := range e.records {
			if r.verdict.Outcome == targon.OutcomeNone {
				out = append(out, r.arrived)
			}
		}
	}
	return out
}

// receiptOf names the receipt of an arrival; zero if none came.
func receiptOf(a targon.Arrived) targon.Digest {
	if a.Status != targon.StatusComplete {
		return targon.Digest{}
	}
	return a.Receipt.Digest()
}

// audited reports whether a verdict came from looking at a drawn answer.
func audited(r targon.Reason) bool {
	switch r {
	case targon.ReasonEqual, targon.ReasonWithin, targon.ReasonMismatch, targon.ReasonMargin, targon.ReasonTermination,
		targon.ReasonSignature, targon.ReasonChain, targon.ReasonStructure, targon.ReasonBuffered, targon.ReasonBufferedLone:
		return true
	default:
		return false
	}
}
