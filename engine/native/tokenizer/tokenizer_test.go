package tokenizer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/modeltest"
	"targon/engine/native/tokenizer"
)

// A vocab is what a test file is made of.
type vocab struct {
	tokens []string
	scores []float32
	types  []int32
}

func (v *vocab) add(text string, score float32, kind int32) *vocab {
	v.tokens, v.scores, v.types = append(v.tokens, text), append(v.scores, score), append(v.types, kind)
	return v
}

// small has unk, bos, eos, every byte, two control tokens of which one begins the
// other, a user-defined one, and pieces for a few words.
func small() *vocab {
	v := &vocab{}
	v.add("<unk>", 0, 2).add("<s>", 0, 3).add("</s>", 0, 3)
	for b := range 256 {
		v.add(fmt.Sprintf("<0x%02X>", b), 0, 6)
	}
	v.add("<|a|>", 0, 3).add("<|a|>b", 0, 3).add("[user]", 0, 4).add("[pad]", 0, 5) // 259 to 262
	for i, piece := range []string{"\u2581", "a", "b", "c", "<", "s", ">", "é", "\u2581a", "ab", "bc", "abc", "<s", "\u2581\u2581"} {
		v.add(piece, -float32(i), 1) // 263 to 276
	}
	return v
}

func (v *vocab) file(t testing.TB, more map[string]any) *gguf.File {
	t.Helper()
	f := &gguf.File{}
	set := func(key string, value any) {
		if value == nil {
			return
		}
		if err := f.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	base := map[string]any{
		"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": v.tokens,
		"tokenizer.ggml.scores": v.scores, "tokenizer.ggml.token_type": v.types,
	}
	for key, value := range base {
		if _, ok := more[key]; !ok {
			set(key, value)
		}
	}
	for key, value := range more {
		set(key, value)
	}
	return f
}

func load(t testing.TB, v *vocab, more map[string]any) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.New(v.file(t, more))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func stories(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	f, err := gguf.Parse(modeltest.Open(t, "stories260K.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestGolden holds the ids to those of llama.cpp.
func TestGolden(t *testing.T) {
	tok := stories(t)
	var golden struct {
		Text     string           `json:"text"`
		Tokens   []targon.TokenID `json:"tokens"`
		Tokenize []struct {
			Text string           `json:"text"`
			IDs  []targon.TokenID `json:"ids"`
			BOS  []targon.TokenID `json:"ids_with_bos"`
		} `json:"tokenize"`
	}
	if err := json.Unmarshal(modeltest.Open(t, "stories260K.golden.json"), &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Tokenize) < 10 || len(golden.Tokens) != 200 {
		t.Fatalf("%d cases and %d tokens in the golden file", len(golden.Tokenize), len(golden.Tokens))
	}
	for _, tt := range golden.Tokenize {
		if diff := cmp.Diff(tt.IDs, tok.Encode(tt.Text, false)); diff != "" {
			t.Errorf("%q: %s", tt.Text, diff)
		}
		if diff := cmp.Diff(tt.BOS, tok.Encode(tt.Text, true)); diff != "" {
			t.Errorf("%q with BOS: %s", tt.Text, diff)
		}
		if got := tok.Decode(tt.BOS); got != tt.Text {
			t.Errorf("%q decodes to %q", tt.Text, got)
		}
	}
	// The golden text shows BOS as llama.cpp prints it, followed by the prefix.
	want := strings.TrimPrefix(golden.Text, "<s> ")
	if got := tok.Decode(golden.Tokens); got != want {
		t.Errorf("the golden ids decode to %q, want %q", got, want)
	}
	if bos, ok := tok.BOS(); !ok || bos != 1 || !tok.AddBOS() {
		t.Errorf("BOS = %d, %v", bos, ok)
	}
	if diff := cmp.Diff([]targon.TokenID{2}, tok.EOS()); diff != "" || tok.Vocab() != 512 {
		t.Errorf("EOS or vocabulary: %s %d", diff, tok.Vocab())
	}
}

func TestEncodeByHand(t *testing.T) {
	const sp, a, b, c, lt, s, gt, e, spA, ab, bc, abc = 263, 264, 265, 266, 267, 268, 269, 270, 271, 272, 273, 274
	const spsp = 276
	byteID := func(v byte) targon.TokenID { return targon.TokenID(v) + 3 }
	tok := load(t, small(), nil)
	bare := load(t, small(), map[string]any{"tokenizer.ggml.add_space_prefix": false})
	for _, tt := range []struct {
		tok     *tokenizer.Tokenizer
		text    string
		special bool
		want    []targon.TokenID
	}{
		{tok, "", false, []targon.TokenID{}},
		{tok, "a", false, []targon.TokenID{spA}},
		{bare, "a", false, []targon.TokenID{a}},
		{bare, "abc", false, []targon.TokenID{abc}},
		// Of "aab", "ab" is the only merge; of "▁ab" the higher score, "▁a", wins.
		{bare, "aab", false, []targon.TokenID{a, ab}},
		{tok, "ab", false, []targon.TokenID{spA, b}},
		// "ab" beats "bc" by score, and then "abc" is a piece of its own.
		{bare, "bcabc", false, []targon.TokenID{bc, abc}},
		// Equal scores cannot differ here: the same pair, leftmost first.
		{bare, "   ", false, []targon.TokenID{spsp, sp}},
		{bare, "é", false, []targon.TokenID{e}},
		{bare, "ü", false, []targon.TokenID{byteID(0xc3), byteID(0xbc)}},
		{bare, "\xc3", false, []targon.TokenID{byteID(0xc3)}},
		{bare, "\n", false, []targon.TokenID{byteID('\n')}},
		// Plain text never becomes a control token, even where merges spell one.
		{bare, "<s>", false, []targon.TokenID{275, gt}},
		{bare, "<s>", true, []targon.TokenID{1}},
		{tok, "<s>a</s>a", true, []targon.TokenID{1, spA, 2, spA}},
		{bare, "<|a|>", true, []targon.TokenID{259}},
		{bare, "<|a|>b<|a|>c", true, []targon.TokenID{260, 259, c}},
		{bare, "[user]a", true, []targon.TokenID{261, a}},
		// A user-defined token is found in plain text too, and what follows it is a text
		// of its own.
		{bare, "a[user]a", false, []targon.TokenID{a, 261, a}},
		{tok, "a[user]a[user]", false, []targon.TokenID{spA, 261, spA, 261}},
		{bare, "[use[user]", false, []targon.TokenID{byteID('['), byteID('u'), s, byteID('e'), 261}},
		{bare, "<|a|", true, []targon.TokenID{lt, byteID('|'), a, byteID('|')}},
		// Unknown, unused and byte tokens have no spelling.
		{bare, "[pad]", true, []targon.TokenID{byteID('['), byteID('p'), a, byteID('d'), byteID(']')}},
	} {
		encode := tt.tok.Encode
		if tt.special {
			encode = tt.tok.EncodeSpecial
		}
		if diff := cmp.Diff(tt.want, encode(tt.text, false)); diff != "" {
			t.Errorf("%q (special %v): %s", tt.text, tt.special, diff)
		}
		if diff := cmp.Diff(append([]targon.TokenID{1}, tt.want...), encode(tt.text, true)); diff != "" {
			t.Errorf("%q (special %v) with BOS: %s", tt.text, tt.special, diff)
		}
	}
}

func TestUnknown(t *testing.T) {
	v := (&vocab{}).add("<unk>", 0, 2).add("a", 0, 1)
	tok := load(t, v, map[string]any{"tokenizer.ggml.add_space_prefix": false})
	if diff := cmp.Diff([]targon.TokenID{1, 0, 1, 0}, tok.Encode("aüa\xff", true)); diff != "" {
		t.Error(diff)
	}
	if got := tok.Decode([]targon.TokenID{1, 0, 1}); got != "a\uFFFDa" {
		t.Errorf("decodes to %q", got)
	}
	if _, ok := tok.BOS(); ok || tok.AddBOS() || len(tok.EOS()) != 0 {
		t.Error("a vocabulary without control tokens has a BOS or EOS")
	}
}

// TestLeftmostOfEqualScores pins the tie rule: with two pieces of one score, the one
// that begins further left is merged.
func TestLeftmostOfEqualScores(t *testing.T) {
	v := small().add("ca", -2.5, 1).add("cab", -2.5, 1).add("xy", -1, 1).add("yx", -1, 1).add("x", -9, 1).add("y", -9, 1)
	tok := load(t, v, map[string]any{"tokenizer.ggml.add_space_prefix": false})
	text := func(s string) (out []string) {
		for _, id := range tok.Encode(s, false) {
			out = append(out, tok.Text(id))
		}
		return out
	}
	for in, want := range map[string][]string{"xyx": {"xy", "x"}, "yxy": {"yx", "y"}, "xyxyx": {"xy", "xy", "x"}} {
		if diff := cmp.Diff(want, text(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

// slowEncode merges by looking at every pair every time.
func slowEncode(v *vocab, text string) []string {
	score := map[string]float32{}
	for i, s := range v.tokens {
		if v.types[i] == 1 {
			score[s] = v.scores[i]
		}
	}
	parts := strings.Split(strings.ReplaceAll(" "+text, " ", "\u2581"), "")
	for {
		best, at := float32(math.Inf(-1)), -1
		for i := 0; i+1 < len(parts); i++ {
			if s, ok := score[parts[i]+parts[i+1]]; ok && s > best {
				best, at = s, i
			}
		}
		if at < 0 {
			return parts
		}
		parts = append(parts[:at], append([]string{parts[at] + parts[at+1]}, parts[at+2:]...)...)
	}
}

// TestMatchesSlowEncoding compares the heap with the rule it implements, on random
// vocabularies with many equal scores.
func TestMatchesSlowEncoding(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := (&vocab{}).add("<unk>", 0, 2)
		piece := rapid.StringMatching("[ab\u2581]{1,5}")
		for _, p := range rapid.SliceOfNDistinct(piece, 1, 25, rapid.ID).Draw(rt, "pieces") {
			v.add(p, float32(rapid.IntRange(-3, 0).Draw(rt, "score")), 1)
		}
		for _, p := range []string{"a", "b", "\u2581"} {
			v.add(p, -9, 1)
		}
		text := rapid.StringMatching("[ab ]{1,30}").Draw(rt, "text")
		tok, err := tokenizer.New(v.file(t, nil))
		if err != nil {
			rt.Fatal(err)
		}
		// A single character that also was drawn as a piece is spelled the same.
		var got []string
		for _, id := range tok.Encode(text, false) {
			got = append(got, tok.Text(id))
		}
		if diff := cmp.Diff(slowEncode(v, text), got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestRoundTrip(t *testing.T) {
	toks := map[string]*tokenizer.Tokenizer{
		"small": load(t, small(), nil),
		"bare":  load(t, small(), map[string]any{"tokenizer.ggml.add_space_prefix": false}),
	}
	for name, tok := range toks {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([ abc<s>/|\[\]\n]|\[user\]|<s>){0,40}`)).Draw(t, "text")
			roundTrip(t, tok, text)
		}))
	}
}

type fataler interface{ Fatalf(string, ...any) }

// roundTrip checks what must hold of any text: decoding gives it back (the space
// sign, which stands for a space, and invalid bytes aside), the stream is whole
// characters, and no control token comes of plain text.
func roundTrip(t fataler, tok *tokenizer.Tokenizer, text string) {
	want := strings.ReplaceAll(string([]rune(text)), "\u2581", " ")
	ids := tok.Encode(text, false)
	if got := tok.Decode(ids); got != want {
		t.Fatalf("%q came back as %q", text, got)
	}
	for _, id := range ids {
		if id == 1 || id == 2 || id == 259 || id == 260 || id == 262 {
			t.Fatalf("plain text %q became the token %d", text, id)
		}
	}
	for _, id := range tok.EncodeSpecial(text, true) {
		if id < 0 || int(id) >= tok.Vocab() {
			t.Fatalf("%q: id %d is outside the vocabulary", text, id)
		}
	}
	d := tok.StartDecoder()
	var b strings.Builder
	for _, id := range ids {
		part := d.Add(id)
		if !utf8.ValidString(part) {
			t.Fatalf("%q: the decoder emitted %q", text, part)
		}
		b.WriteString(part)
	}
	b.WriteString(d.Flush())
	if b.String() != want {
		t.Fatalf("%q streamed as %q", text, b.String())
	}
}

func TestDecoder(t *testing.T) {
	tok := load(t, small(), nil)
	id := func(b byte) targon.TokenID { return targon.TokenID(b) + 3 }
	for _, tt := range []struct {
		name  string
		start bool
		ids   []targon.TokenID
		want  []string // of each Add, then of Flush
	}{
		{"continuation keeps its space", false, []targon.TokenID{271, 271}, []string{" a", " a", ""}},
		{"a beginning drops one", true, []targon.TokenID{276, 271}, []string{" ", " a", ""}},
		{"also behind BOS", true, []targon.TokenID{1, 271}, []string{"", "a", ""}},
		{"and behind every special token", true, []targon.TokenID{271, 261, 271, 259, 276, 271}, []string{"a", "[user]", "a", "", " ", " a", ""}},
		{"which a continuation keeps", false, []targon.TokenID{271, 261, 271}, []string{" a", "[user]", " a", ""}},
		{"no space to drop", true, []targon.TokenID{264, 271}, []string{"a", " a", ""}},
		{"a character in bytes", false, []targon.TokenID{id(0xf0), id(0x9f), id(0x99), id(0x82), 264}, []string{"", "", "", "🙂", "a", ""}},
		{"cut at the end", false, []targon.TokenID{264, id(0xf0), id(0x9f)}, []string{"a", "", "", "\uFFFD\uFFFD"}},
		{"broken off by a letter", false, []targon.TokenID{id(0xf0), id(0x9f), 264}, []string{"", "", "\uFFFD\uFFFDa", ""}},
		{"broken off by a character", false, []targon.TokenID{id(0xe2), 270, 264}, []string{"", "\uFFFDé", "a", ""}},
		{"never valid", false, []targon.TokenID{id(0xff), id(0x80)}, []string{"\uFFFD", "\uFFFD", ""}},
		{"control in between", false, []targon.TokenID{id(0xc3), 2, 259, id(0xbc)}, []string{"", "", "", "ü", ""}},
		{"user-defined and unused", false, []targon.TokenID{261, 262}, []string{"[user]", "", ""}},
		{"outside", false, []targon.TokenID{-1, 100000, 264}, []string{"", "", "a", ""}},
		{"unknown", false, []targon.TokenID{0}, []string{"\uFFFD", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := tok.Decoder()
			if tt.start {
				d = tok.StartDecoder()
			}
			var got []string
			for _, id := range tt.ids {
				got = append(got, d.Add(id))
			}
			got = append(got, d.Flush())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if again := d.Flush(); again != "" {
				t.Errorf("a second flush gives %q", again)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	nan := small()
	nan.scores[300-30] = float32(math.NaN())
	badByte := small().add("<0xZZ>", 0, 6)
	for _, tt := range []struct {
		name string
		v    *vocab
		more map[string]any
		kind error
		want string
	}{
		{"t5", small(), map[string]any{"tokenizer.ggml.model": "t5"}, tokenizer.ErrUnsupported, `"t5"`},
		{"none", small(), map[string]any{"tokenizer.ggml.model": nil}, tokenizer.ErrUnsupported, "has none"},
		{"no tokens", small(), map[string]any{"tokenizer.ggml.tokens": nil}, tokenizer.ErrFormat, "0 tokens"},
		{"no scores", small(), map[string]any{"tokenizer.ggml.scores": nil}, tokenizer.ErrFormat, "but 0 scores"},
		{"scores", small(), map[string]any{"tokenizer.ggml.scores": []float32{1}}, tokenizer.ErrFormat, "but 1 scores"},
		{"NaN", nan, nil, tokenizer.ErrFormat, "not a number"},
		{"types", small(), map[string]any{"tokenizer.ggml.token_type": []int32{1}}, tokenizer.ErrFormat, "but 1 types"},
		{"types' type", small(), map[string]any{"tokenizer.ggml.token_type": "x"}, tokenizer.ErrFormat, "but 0 types"},
		{"type 7", small().add("x", 0, 7), nil, tokenizer.ErrFormat, "of type 7"},
		{"type 0", small().add("x", 0, 0), nil, tokenizer.ErrFormat, "of type 0"},
		{"byte", badByte, nil, tokenizer.ErrFormat, `"<0xZZ>"`},
		{"bos", small(), map[string]any{"tokenizer.ggml.bos_token_id": uint32(277)}, tokenizer.ErrFormat, "is 277 of 277"},
		{"eos", small(), map[string]any{"tokenizer.ggml.eos_token_id": uint32(1 << 31)}, tokenizer.ErrFormat, "eos_token_id"},
		{"unk", small(), map[string]any{"tokenizer.ggml.unknown_token_id": uint32(999)}, tokenizer.ErrFormat, "unknown_token_id"},
		{"no way to say x", (&vocab{}).add("a", 0, 1), nil, tokenizer.ErrFormat, "neither"},
		{
			"but by a control token", (&vocab{}).add("a", 0, 1).add("<s>", 0, 3),
			map[string]any{"tokenizer.ggml.unknown_token_id": uint32(1)},
			tokenizer.ErrFormat, "neither",
		},
	} {
		_, err := tokenizer.New(tt.v.file(t, tt.more))
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %v with %q", tt.name, err, tt.kind, tt.want)
		}
	}
}

func TestNamedTokens(t *testing.T) {
	none := uint32(math.MaxUint32)
	tok := load(t, small(), map[string]any{
		"tokenizer.ggml.bos_token_id": none, "tokenizer.ggml.eos_token_id": uint32(259),
		"tokenizer.ggml.eot_token_id": uint32(2), "tokenizer.ggml.eom_token_id": uint32(259),
	})
	if _, ok := tok.BOS(); ok {
		t.Error("a BOS that the file denies")
	}
	if diff := cmp.Diff([]targon.TokenID{2, 259}, tok.EOS()); diff != "" {
		t.Error(diff)
	}
	tok = load(t, small(), map[string]any{"tokenizer.ggml.add_bos_token": false})
	if bos, ok := tok.BOS(); !ok || bos != 1 || tok.AddBOS() {
		t.Errorf("add_bos_token false: BOS %d, %v, AddBOS %v", bos, ok, tok.AddBOS())
	}
	// The role overrides the type: a piece named as EOS is not encoded any more.
	tok = load(t, small(), map[string]any{"tokenizer.ggml.eos_token_id": uint32(264), "tokenizer.ggml.add_space_prefix": false})
	if diff := cmp.Diff([]targon.TokenID{3 + 'a'}, tok.Encode("a", false)); diff != "" {
		t.Error(diff)
	}
	if got := tok.Decode([]targon.TokenID{264}); got != "" {
		t.Errorf("EOS decodes to %q", got)
	}
	// Without types, roles and spelling give them.
	tok = load(t, small(), map[string]any{"tokenizer.ggml.token_type": nil, "tokenizer.ggml.add_space_prefix": false})
	if diff := cmp.Diff([]targon.TokenID{1, 3 + '|', 2}, tok.EncodeSpecial("<s>|</s>", false)); diff != "" {
		t.Error(diff)
	}
	if got := tok.Text(262); got != "[pad]" || tok.Text(-1) != "" || tok.Text(277) != "" {
		t.Errorf("Text(262) = %q", got)
	}
}

// TestLongTextIsNotQuadratic encodes text that merges as much as it can. A quadratic
// encoder needs minutes for it.
func TestLongTextIsNotQuadratic(t *testing.T) {
	v := small()
	for n := 2; n <= 64; n *= 2 {
		v.add(strings.Repeat("x", n), -1, 1)
	}
	tok := load(t, v, nil)
	start := time.Now()
	ids := tok.Encode(strings.Repeat("x", 1<<18), false)
	if len(ids) != 1<<12+1 {
		t.Errorf("%d ids", len(ids))
	}
	if spent := time.Since(start); spent > 20*time.Second {
		t.Errorf("256 KiB took %v", spent)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", " ", "abc<s>", "<|a|>b", "[user] a[user]  a", "\xff\xc3", "naïve — 数据 🙂", "\u2581a", "a\x00b"} {
		f.Add(s)
	}
	toks := []*tokenizer.Tokenizer{
		load(f, small(), nil),
		load(f, small(), map[string]any{"tokenizer.ggml.add_space_prefix": false}),
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range toks {
			roundTrip(t, tok, text)
		}
	})
}

// FuzzDecoder feeds arbitrary ids: the stream must equal the conversion of all their
// bytes at once.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x03\x00\xf0\x9f"))
	tok := load(f, small(), nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := rand.New(rand.NewPCG(uint64(len(data)), 1))
		var raw []byte
		var out strings.Builder
		d := tok.Decoder()
		for _, b := range data {
			id := targon.TokenID(b) + 3
			if r.IntN(4) == 0 {
				id = targon.TokenID(263 + int(b)%14)
				raw = append(raw, strings.ReplaceAll(tok.Text(id), "\u2581", " ")...)
			} else {
				raw = append(raw, b)
			}
			out.WriteString(d.Add(id))
		}
		out.WriteString(d.Flush())
		if want := string([]rune(string(raw))); out.String() != want {
			t.Fatalf("streamed %q, want %q", out.String(), want)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tok := stories(b)
	text := strings.Repeat("Once upon a time, there was a little girl named Lily. ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Encode(text, true)
	}
}

func Example() {
	// A vocabulary as a model file has it; usually from gguf.Parse.
	f := &gguf.File{}
	_ = f.Set("tokenizer.ggml.model", "llama")
	_ = f.Set("tokenizer.ggml.tokens", []string{"<unk>", "<s>", "</s>", "\u2581", "h", "i", "hi", "\u2581hi"})
	_ = f.Set("tokenizer.ggml.scores", []float32{0, 0, 0, -4, -5, -6, -1, -2})
	_ = f.Set("tokenizer.ggml.token_type", []int32{2, 3, 3, 1, 1, 1, 1, 1})
	tok, err := tokenizer.New(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := tok.Encode("hi hi", true)
	fmt.Println(ids)
	fmt.Printf("%q\n", tok.Decode(ids))
	fmt.Println(tok.EncodeSpecial("hi</s>", false))
	// Output:
	// [1 7 7]
	// "hi hi"
	// [7 2]
}
