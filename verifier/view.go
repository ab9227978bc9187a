package verifier

import (
	"bytes"
	"slices"
	"time"

	"targon"
	"targon/evidence"
)

// View is a snapshot for people: status pages and the table at the end of a run. It
// counts since the ledger began.
type View struct {
	Epoch   targon.Epoch `json:"epoch"` // the one under way
	Height  targon.Block `json:"height"`
	Closed  uint64       `json:"closed"`   // epochs whose secret is shown
	Scored  uint64       `json:"scored"`   // epochs with decided weights
	Set     uint64       `json:"set"`      // times that the chain took weights
	LastSet targon.Epoch `json:"last_set"` // epoch of the weights on the chain, if Set is not 0
	Waiting int          `json:"waiting"`  // receipts without a verdict
	Asking  bool         `json:"asking"`   // challenges are being sent
	Provers []ProverView `json:"provers"`  // sorted by UID, then hotkey
	Total   Counts       `json:"total"`
	Organic OrganicView  `json:"organic"` // users' part of Total
}

// OrganicView counts users' requests.
type OrganicView struct {
	Requests uint64 `json:"requests"`
	Verified uint64 `json:"verified"` // drawn and passed
}

// Counts are sums over requests.
type Counts struct {
	Requests      uint64                   `json:"requests"`
	Tokens        uint64                   `json:"tokens"`         // ids in answers with a receipt
	AuditedTokens uint64                   `json:"audited_tokens"` // of those, in answers that were looked at
	Passed        uint64                   `json:"passed"`
	Failed        uint64                   `json:"failed"`
	Undecided     uint64                   `json:"undecided"` // not drawn included
	Reasons       map[targon.Reason]uint64 `json:"reasons"`   // verdicts by reason
}

// ProverView is one prover as its verifier knows it.
type ProverView struct {
	UID    targon.UID    `json:"uid"`
	Hotkey targon.Hotkey `json:"hotkey"`
	Counts
	TokensPerSecond    float64       `json:"tokens_per_second"` // over passed answers
	Convicted          bool          `json:"convicted"`
	Reason             targon.Reason `json:"reason"` // of the conviction, else its commonest failure
	TokensToConviction uint64        `json:"tokens_to_conviction"`
	Score              float64       `json:"score"`
	Weight             uint16        `json:"weight"`     // last decided
	Lacks              int           `json:"lacks"`      // audited passes in a row until a convict is paid again
	Alarms             uint64        `json:"alarms"`     // this month: changes of its ways
	AuditPPM           uint32        `json:"audit_ppm"`  // in force
	Reputation         float64       `json:"reputation"` // 0 to 1, by audits
}

// tally is one prover's counters since the ledger began.
type tally struct {
	uid      targon.UID // the last that it had
	requests uint64
	tokens   uint64
	audited  uint64
	organic  OrganicView
	passed   struct {
		tokens uint64
		time   time.Duration
	}
	reasons map[targon.Reason]uint64
	repute  evidence.Reputation // zero: see reputation
}

// tally finds or makes a prover's.
func (s *State) tally(h targon.Hotkey, u targon.UID) *tally {
	t := s.tallies[h]
	if t == nil {
		t = &tally{reasons: map[targon.Reason]uint64{}}
		s.tallies[h] = t
	}
	t.uid = u
	return t
}

func (t *tally) arrive(a targon.Arrived) {
	t.requests++
	t.tokens += uint64(a.Receipt.Tokens)
	if a.Origin == targon.OriginOrganic {
		t.organic.Requests++
	}
}

func (t *tally) judge(r *record) {
	t.reasons[r.verdict.Reason]++
	if audited(r.verdict.Reason) {
		t.audited += uint64(r.verdict.Tokens)
	}
	if r.verdict.Outcome != targon.Passed {
		return
	}
	t.passed.tokens += uint64(r.verdict.Tokens)
	t.passed.time += r.arrived.Timing.Total
	if r.arrived.Origin == targon.OriginOrganic {
		t.organic.Verified++
	}
}

func (t *tally) counts() Counts {
	c := Counts{Requests: t.requests, Tokens: t.tokens, AuditedTokens: t.audited, Reasons: map[targon.Reason]uint64{}}
	c.reasons(t.reasons)
	return c
}

func (c *Counts) reasons(of map[targon.Reason]uint64) {
	for r, n := range of {
		c.Reasons[r] += n
		switch r.Outcome() {
		case targon.Passed:
			c.Passed += n
		case targon.Failed:
			c.Failed += n
		case targon.Undecided, targon.OutcomeNone:
			c.Undecided += n
		}
	}
}

// View returns a snapshot.
func (v *Verifier) View() View {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.state.View()
	out.Height, out.Asking = max(v.height, v.state.newest), v.asking()
	known := map[targon.Hotkey]bool{}
	for _, p := range out.Provers {
		known[p.Hotkey] = true
	}
	for _, n := range v.meta.Provers(v.cfg.Hotkey) { // some may not have been asked yet
		if !known[n.Hotkey] {
			out.Provers = append(out.Provers, ProverView{UID: n.UID, Hotkey: n.Hotkey, Counts: Counts{Reasons: map[targon.Reason]uint64{}}})
		}
	}
	sortProvers(out.Provers)
	return out
}

// View returns what a ledger alone has to show.
func (s *State) View() View {
	out := View{
		Height: s.newest, Closed: s.closes, Scored: s.decisions, Set: s.sets, LastSet: s.set.Epoch,
		Total: Counts{Reasons: map[targon.Reason]uint64{}},
	}
	for _, e := range s.epochs {
		out.Epoch = e.opened.Epoch
		out.Waiting += e.unjudged
	}
	scores := map[targon.Hotkey]targon.Score{}
	for _, sc := range s.scored.Scores {
		scores[sc.Hotkey] = sc
	}
	for h, t := range s.tallies {
		p := s.prover(h, t)
		if sc, ok := scores[h]; ok {
			p.Score, p.Weight = sc.Value, s.decided.Weights.Of(sc.UID)
		}
		out.Provers = append(out.Provers, p)
		out.Organic.Requests += t.organic.Requests
		out.Organic.Verified += t.organic.Verified
		out.Total.Requests += t.requests
		out.Total.Tokens += t.tokens
		out.Total.AuditedTokens += t.audited
		out.Total.reasons(t.reasons)
	}
	sortProvers(out.Provers)
	return out
}

func (s *State) prover(h targon.Hotkey, t *tally) ProverView {
	p := ProverView{UID: t.uid, Hotkey: h, Counts: t.counts()}
	if t.passed.time > 0 {
		p.TokensPerSecond = float64(t.passed.tokens) / t.passed.time.Seconds()
	}
	p.Lacks, p.Reputation = s.lacks(h), t.reputation().Score()
	if e := s.current(); e != nil {
		p.AuditPPM = e.rate(h)
	}
	var ev targon.Evidence
	if d := s.dossiers[account{h, targon.MonthOf(s.newest)}]; d != nil {
		ev, p.Alarms = d.evidence, d.stream.Alarms()
	}
	if ev.Convicted {
		p.Convicted, p.Reason, p.TokensToConviction = true, ev.Reason, ev.ConvictedAt
		return p
	}
	most := uint64(0)
	for r, n := range t.reasons {
		if r.Outcome() == targon.Failed && (n > most || n == most && r < p.Reason) {
			p.Reason, most = r, n
		}
	}
	return p
}

func sortProvers(ps []ProverView) {
	slices.SortFunc(ps, func(a, b ProverView) int {
		if a.UID != b.UID {
			return int(a.UID) - int(b.UID)
		}
		return bytes.Compare(a.Hotkey[:], b.Hotkey[:])
	})
}
