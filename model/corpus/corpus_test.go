package corpus

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func TestSameSeedSameText(t *testing.T) {
	for _, tt := range []struct {
		name string
		text func(*rand.Rand) string
	}{
		{"document", Document},
		{"opening", Opening},
		{"question", Question},
		{"chat", func(r *rand.Rand) string { return fmt.Sprint(Chat(r)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := source(3), source(3)
			for range 200 {
				if first, second := tt.text(a), tt.text(b); first != second {
					t.Fatalf("same seed gave %q and %q", first, second)
				}
			}
			if tt.text(source(3)) == tt.text(source(4)) {
				t.Error("two seeds gave the same text")
			}
		})
	}
}

// sample returns many documents, and the answers of many chats.
func sample() []string {
	rng := source(5)
	var texts []string
	for range 3000 {
		texts = append(texts, Document(rng), Opening(rng), Question(rng))
		for _, turn := range Chat(rng) {
			texts = append(texts, turn.Content)
		}
	}
	return texts
}

func TestTextIsWellFormed(t *testing.T) {
	bad := []struct {
		name string
		re   *regexp.Regexp
	}{
		{"doubled space", regexp.MustCompile(`  `)},
		{"space at the end of a line", regexp.MustCompile(`(?m) $`)},
		{"empty line", regexp.MustCompile(`\n\n`)},
		{"unfilled slot", regexp.MustCompile(`[{}@_\\]`)},
		{"space before punctuation", regexp.MustCompile(` [,.!;:]`)},
		{"doubled punctuation", regexp.MustCompile(`[,.!?;:]{2}`)},
		{"a before a vowel", regexp.MustCompile(`\b[Aa] (?:[aeioAEIO]|hon|hour|u[^ns])`)},
		{"an before a consonant", regexp.MustCompile(`\b[Aa]n [b-df-gj-np-tv-zB-DF-GJ-NP-TV-Z]`)},
		{"small letter after a full stop", regexp.MustCompile(`[.!?] [a-z]`)},
		{"full stop before who said it", regexp.MustCompile(`\." [a-z]`)},
		{"small letter at the start of a quotation", regexp.MustCompile(`(?:^|[ \n])"[a-z]`)},
		{"outside ASCII", regexp.MustCompile(`[^ -~\n]`)},
	}
	for _, text := range sample() {
		for _, b := range bad {
			if at := b.re.FindStringIndex(text); at != nil {
				t.Errorf("%s: ...%s...", b.name, text[max(0, at[0]-30):min(len(text), at[1]+30)])
			}
		}
		if t.Failed() {
			t.Fatalf("in %q", text)
		}
	}
}

func TestQuotationsAreClosed(t *testing.T) {
	rng := source(6)
	for range 2000 {
		for line := range strings.SplitSeq(Document(rng), "\n") {
			if strings.Count(line, `"`)%2 != 0 {
				t.Fatalf("open quotation in %q", line)
			}
		}
	}
}

func TestOpeningsAreDistinct(t *testing.T) {
	rng := source(7)
	seen := map[string]bool{}
	for range 20000 {
		o := Opening(rng)
		if seen[o] {
			t.Fatalf("opening came twice: %q", o)
		}
		seen[o] = true
		if words := len(strings.Fields(o)); words < 8 || words > 60 {
			t.Fatalf("opening of %d words: %q", words, o)
		}
	}
}

// TestTextIsFree guards what the corpus is for: choices worth enough to keep
// the entropy of a model that has learned it well above 2.5 nats a token of
// about 3.6 bytes.
func TestTextIsFree(t *testing.T) {
	rng := source(8)
	nats, bytes := 0.0, 0
	for range 3000 {
		w := newWriter(rng)
		bytes += len(articles(w.pick(open).write(w)))
		nats += w.nats
	}
	if got := nats / float64(bytes); got < 0.7 {
		t.Errorf("choices are worth %.3f nats a byte, want 0.7", got)
	}
}

func TestChatsAlternate(t *testing.T) {
	rng := source(9)
	for range 1000 {
		turns := Chat(rng)
		if turns[0].Role == "system" {
			turns = turns[1:]
		}
		if len(turns) == 0 || len(turns)%2 != 0 {
			t.Fatalf("%d turns", len(turns))
		}
		for i, turn := range turns {
			if want := []string{"user", "assistant"}[i%2]; turn.Role != want || turn.Content == "" {
				t.Fatalf("turn %d is %+v, want role %s", i, turn, want)
			}
		}
	}
}

func TestSumsAreRight(t *testing.T) {
	w := newWriter(source(10))
	digits := regexp.MustCompile(`\d+`)
	for range 500 {
		question, answer := w.sum()
		var n [2]int
		for i, s := range digits.FindAllString(question, -1) {
			n[i], _ = strconv.Atoi(s)
		}
		want := n[0] + n[1]
		if strings.Contains(question, "minus") || strings.Contains(question, " - ") {
			want = n[0] - n[1]
		}
		all := digits.FindAllString(answer, -1)
		if got := all[len(all)-1]; got != strconv.Itoa(want) {
			t.Errorf("%s %s, want %d", question, answer, want)
		}
	}
}

func TestInflect(t *testing.T) {
	for _, tt := range []struct{ verb, form, want string }{
		{"carry", "ed", "carried"},
		{"play", "ed", "played"},
		{"steal", "ed", "stole"},
		{"drop", "ed", "dropped"},
		{"bake", "ed", "baked"},
		{"give up", "ed", "gave up"},
		{"drop", "ing", "dropping"},
		{"bake", "ing", "baking"},
		{"carry", "ing", "carrying"},
		{"tie", "ing", "tying"},
		{"free", "ing", "freeing"},
		{"rub", "ed", "rubbed"},
		{"see", "ing", "seeing"},
		{"carry", "s", "carries"},
		{"wash", "s", "washes"},
		{"have", "s", "has"},
		{"mend", "base", "mend"},
	} {
		if got := inflect(tt.verb, tt.form); got != tt.want {
			t.Errorf("inflect(%q, %q) = %q, want %q", tt.verb, tt.form, got, tt.want)
		}
	}
}

func TestPlural(t *testing.T) {
	for noun, want := range map[string]string{
		"lamp": "lamps", "box": "boxes", "berry": "berries", "wolf": "wolves", "key": "keys",
	} {
		if got := plural(noun); got != want {
			t.Errorf("plural(%q) = %q, want %q", noun, got, want)
		}
	}
}

func ExampleDocument() {
	text := Document(rand.New(rand.NewPCG(1, 0)))
	fmt.Println(text[:strings.Index(text, ".")+1])
	// Output: Inside another tiny bow, Brano buried one weary ashamed lamb anxiously, and one angry bailiff saw it.
}

func ExampleOpening() {
	fmt.Println(Opening(rand.New(rand.NewPCG(2, 0))))
	// Output:
	// To the midwife of Triholm,
	// You owe me seven pence and that merry ashamed key. Tell one young unlucky engraver that I hung
}
