package gateway

import "strings"

// Bounds of stop sequences: OpenAI takes four, some engines more.
const (
	maxStops    = 16
	maxStopText = 256 // bytes of each
)

// A stopper cuts a text off before the first of some sequences. It holds back what may be
// the beginning of one, so that nothing of a sequence is ever shown. The prover does not
// hear of it: its answer goes on to its own end, which is what its receipt covers.
type stopper struct {
	at   []string
	held string
	done bool // nothing more is shown
}

// add takes the next text and returns what may be shown now.
func (s *stopper) add(text string) string {
	if s.done || len(s.at) == 0 {
		if s.done {
			return ""
		}
		return text
	}
	s.held += text
	cut := -1
	for _, stop := range s.at {
		if i := strings.Index(s.held, stop); i >= 0 && (cut < 0 || i < cut) {
			cut = i
		}
	}
	if cut >= 0 {
		out := s.held[:cut]
		s.held, s.done = "", true
		return out
	}
	keep := 0
	for _, stop := range s.at {
		keep = max(keep, begun(s.held, stop))
	}
	out := s.held[:len(s.held)-keep]
	s.held = s.held[len(out):]
	return out
}

// begun returns how many bytes at the end of a text are the beginning of a stop.
func begun(text, stop string) int {
	for n := min(len(text), len(stop)-1); n > 0; n-- {
		if strings.HasSuffix(text, stop[:n]) {
			return n
		}
	}
	return 0
}

// rest returns what was held back for nothing.
func (s *stopper) rest() string {
	out := s.held
	s.held = ""
	return out
}

// stops reads the sequences that end an answer: a string, or a list of some.
func (b body) stops(o *order) error {
	var one string
	var list []string
	if _, err := b.get("stop", &one); err == nil {
		if one != "" {
			list = []string{one}
		}
	} else if _, err := b.get("stop", &list); err != nil {
		return badField("stop", "want a string or a list of strings")
	}
	if len(list) > maxStops {
		return badField("stop", "%d sequences, at most %d", len(list), maxStops)
	}
	for _, s := range list {
		if s == "" || len(s) > maxStopText {
			return badField("stop", "want sequences of 1 to %d bytes", maxStopText)
		}
	}
	o.stop = list
	return nil
}
