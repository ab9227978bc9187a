package serve

import "strings"

// A Stopper looks for stop strings in a text that comes in parts. It holds back what
// may be the beginning of one, and nothing more.
type Stopper struct {
	Stops   []string
	Include bool // a stop string that is found belongs to the text
	held    string
}

// Add takes the next part and returns what is certain, and the stop string that ended
// the text, if one did. Of several in one part, the first in the list counts, as in vLLM.
func (s *Stopper) Add(part string) (text, hit string) {
	if len(s.Stops) == 0 {
		return part, ""
	}
	s.held += part
	for _, stop := range s.Stops {
		if i := strings.Index(s.held, stop); i >= 0 {
			if s.Include {
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
func (s *Stopper) pending() int {
	longest := 0
	for _, stop := range s.Stops {
		for n := min(len(stop)-1, len(s.held)); n > longest; n-- {
			if strings.HasSuffix(s.held, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// Flush ends the text.
func (s *Stopper) Flush() string {
	text := s.held
	s.held = ""
	return text
}
