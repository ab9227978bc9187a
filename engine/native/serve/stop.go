package serve

import "strings"

// A stopper looks for stop strings in a text that comes in parts. It holds back what
// may be the beginning of one, and nothing more.
type stopper struct {
	stops   []string
	include bool // a stop string that is found belongs to the text
	held    string
}

// add takes the next part and returns what is certain, and the stop string that ended
// the text, if one did. Of several in one part, the first in the list counts, as in vLLM.
func (s *stopper) add(part string) (text, hit string) {
	if len(s.stops) == 0 {
		return part, ""
	}
	s.held += part
	for _, stop := range s.stops {
		if i := strings.Index(s.held, stop); i >= 0 {
			if s.include {
				i += len(stop)
			}
			text, s.held = s.held[:i], ""
			return text, stop
		}
	}
	n := len(s.held) - s.pending()
	text, s.held = s.held[:n], s.held[n:]
	return text, ""
}

// pending returns the length of the longest end of what is held that begins a stop
// string. It begins a character, since stop strings do.
func (s *stopper) pending() int {
	longest := 0
	for _, stop := range s.stops {
		for n := min(len(stop)-1, len(s.held)); n > longest; n-- {
			if strings.HasSuffix(s.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// flush ends the text.
func (s *stopper) flush() string {
	text := s.held
	s.held = ""
	return text
}
