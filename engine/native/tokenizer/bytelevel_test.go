package tokenizer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/tokenizer"
)

var ruleNames = []string{"llama-bpe", "qwen2", "gpt-2", "smollm", "default"}

// A golden file: see testdata/bytelevel/README.md.
type golden struct {
	Pre     string   `json:"pre"`
	Tokens  []string `json:"tokens"`
	Merges  []string `json:"merges"`
	Control []string `json:"control"`
	User    []string `json:"user_defined"`
	Cases   []struct {
		Text  string           `json:"text"`
		Words []string         `json:"words"`
		IDs   []targon.TokenID `json:"ids"`
	} `json:"cases"`
	Special []struct {
		Text    string           `json:"text"`
		IDs     []targon.TokenID `json:"ids"`
		Special []targon.TokenID `json:"special_ids"`
	} `json:"special"`
}

func readGolden(t testing.TB, name string) golden {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "bytelevel", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g golden) load(t testing.TB, more map[string]any) *tokenizer.Tokenizer {
	t.Helper()
	types := make([]int32, len(g.Tokens))
	for i, text := range g.Tokens {
		switch types[i] = 1; {
		case slices.Contains(g.Control, text):
			types[i] = 3
		case slices.Contains(g.User, text):
			types[i] = 4
		}
	}
	f := &gguf.File{}
	keys := map[string]any{"model": "gpt2", "pre": g.Pre, "tokens": g.Tokens, "merges": g.Merges, "token_type": types}
	maps.Copy(keys, more)
	for key, value := range keys {
		if value == nil {
			continue
		}
		if err := f.Set("tokenizer.ggml."+key, value); err != nil {
			t.Fatal(err)
		}
	}
	tok, err := tokenizer.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestByteLevelGolden holds words and ids to those of two other implementations.
func TestByteLevelGolden(t *testing.T) {
	for _, name := range ruleNames {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, name)
			tok := g.load(t, nil)
			if g.Pre != name || len(g.Cases) < 600 || len(g.Special) < 20 {
				t.Fatalf("the golden file is of %s with %d and %d texts", g.Pre, len(g.Cases), len(g.Special))
			}
			for _, c := range g.Cases {
				if words := tokenizer.Words(name, c.Text); !slices.Equal(words, c.Words) {
					t.Errorf("%q is cut into %q, want %q", c.Text, words, c.Words)
				}
				if ids := tok.Encode(c.Text, false); !slices.Equal(ids, c.IDs) {
					t.Errorf("%q becomes %d, want %d", c.Text, ids, c.IDs)
				}
				if text := tok.Decode(c.IDs); text != c.Text {
					t.Errorf("%q comes back as %q", c.Text, text)
				}
			}
			for _, c := range g.Special {
				if ids := tok.Encode(c.Text, false); !slices.Equal(ids, c.IDs) {
					t.Errorf("%q becomes %d, want %d", c.Text, ids, c.IDs)
				}
				if ids := tok.EncodeSpecial(c.Text, false); !slices.Equal(ids, c.Special) {
					t.Errorf("%q with special tokens becomes %d, want %d", c.Text, ids, c.Special)
				}
			}
		})
	}
}

func TestByteCharacters(t *testing.T) {
	seen := map[rune]bool{}
	for b := range 256 {
		r := tokenizer.RuneOf(byte(b))
		back, ok := tokenizer.ByteOf(r)
		if seen[r] || !ok || int(back) != b {
			t.Errorf("byte %#x is written %q and read as %#x, %v", b, r, back, ok)
		}
		seen[r] = true
	}
	for r := range rune(0x200) {
		if _, ok := tokenizer.ByteOf(r); ok != seen[r] {
			t.Errorf("%q stands for a byte: %v", r, ok)
		}
	}
	for b, want := range map[byte]rune{' ': 'Ġ', '\n': 'Ċ', '\t': 'ĉ', 'a': 'a', 0x7f: 'ġ', 0xa0: 'ł', 0xad: 'Ń', 0xff: 'ÿ', 0: 'Ā'} {
		if got := tokenizer.RuneOf(b); got != want {
			t.Errorf("byte %#x is written %q, want %q", b, got, want)
		}
	}
}

// TestMergesByRank compares with a merger that looks at every pair every time, on
// random lists of merges.
func TestMergesByRank(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tokens := []string{"a", "b", "c"}
		rank := map[[2]string]int{}
		var lines []string
		for i := range rapid.IntRange(0, 14).Draw(rt, "merges") {
			l, r := rapid.SampledFrom(tokens).Draw(rt, "left"), rapid.SampledFrom(tokens).Draw(rt, "right")
			lines = append(lines, l+" "+r)
			if _, ok := rank[[2]string{l, r}]; !ok {
				rank[[2]string{l, r}] = i
			}
			if !slices.Contains(tokens, l+r) {
				tokens = append(tokens, l+r)
			}
		}
		text := rapid.StringMatching("[abc]{1,30}").Draw(rt, "text")
		parts := strings.Split(text, "")
		for {
			at, best := -1, len(lines)
			for i := 0; i+1 < len(parts); i++ {
				if r, ok := rank[[2]string{parts[i], parts[i+1]}]; ok && r < best {
					at, best = i, r
				}
			}
			if at < 0 {
				break
			}
			parts = slices.Replace(parts, at, at+2, parts[at]+parts[at+1])
		}
		tok := golden{Pre: "gpt-2", Tokens: tokens, Merges: lines}.load(t, nil)
		var got []string
		for _, id := range tok.Encode(text, false) {
			got = append(got, tok.Text(id))
		}
		if diff := cmp.Diff(parts, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestByteLevelRoles(t *testing.T) {
	g := readGolden(t, "llama-bpe")
	end := uint32(slices.Index(g.Tokens, "<|end|>"))
	turn := uint32(slices.Index(g.Tokens, "<|turn|>"))
	tok := g.load(t, map[string]any{"bos_token_id": turn, "eos_token_id": end, "eot_token_id": turn, "add_eos_token": true})
	if bos, ok := tok.BOS(); !ok || bos != targon.TokenID(turn) || !tok.AddBOS() || !tok.AddEOS() {
		t.Errorf("BOS %d, %v, AddBOS %v, AddEOS %v", bos, ok, tok.AddBOS(), tok.AddEOS())
	}
	if ids := tok.Encode("a", true); len(ids) != 2 || ids[0] != targon.TokenID(turn) {
		t.Errorf("with BOS: %d", ids)
	}
	if diff := cmp.Diff([]targon.TokenID{targon.TokenID(end), targon.TokenID(turn)}, tok.EOS()); diff != "" {
		t.Error(diff)
	}
	for name, more := range map[string]map[string]any{
		"no BOS":        {},
		"llama-bpe off": {"bos_token_id": turn, "add_bos_token": false},
		"qwen2":         {"bos_token_id": turn, "pre": "qwen2"},
	} {
		if tok := g.load(t, more); tok.AddBOS() || tok.AddEOS() {
			t.Errorf("%s: AddBOS %v, AddEOS %v", name, tok.AddBOS(), tok.AddEOS())
		}
	}
	if tok := g.load(t, map[string]any{"bos_token_id": turn, "pre": "qwen2", "add_bos_token": true}); !tok.AddBOS() {
		t.Error("add_bos_token is not heeded")
	}
	// Whole words are taken as they are by llama-bpe alone.
	for pre, want := range map[string]int{"llama-bpe": 1, "llama-v3": 1, "qwen2": 2, "default": 2} {
		if ids := g.load(t, map[string]any{"pre": pre}).Encode("Hello", false); (len(ids) == 1) != (want == 1) {
			t.Errorf("%s: Hello is %d", pre, ids)
		}
	}
	// A file from before the key is cut by default.
	if diff := cmp.Diff(g.load(t, map[string]any{"pre": "default"}).Encode("a (1234) b", false),
		g.load(t, map[string]any{"pre": nil}).Encode("a (1234) b", false)); diff != "" {
		t.Error(diff)
	}
}

// TestByteLevelLacks: what a vocabulary cannot spell becomes its unknown token, and
// never a control token that the file names so.
func TestByteLevelLacks(t *testing.T) {
	g := golden{Pre: "gpt-2", Tokens: []string{"a", "<unk>", "<end>", "b", "ab", "日本 語"}, Merges: []string{"a b"}}
	kinds := []int32{1, 2, 3, 1, 1, 1}
	for _, tt := range []struct {
		unk  any
		want []targon.TokenID
	}{
		{nil, []targon.TokenID{4, 0}},
		{uint32(1), []targon.TokenID{4, 1, 1, 0}},
		{uint32(2), []targon.TokenID{4, 0}},
	} {
		tok := g.load(t, map[string]any{"token_type": kinds, "unknown_token_id": tt.unk})
		if diff := cmp.Diff(tt.want, tok.Encode("abüa", false)); diff != "" {
			t.Error(diff)
		}
	}
	tok := g.load(t, map[string]any{"token_type": kinds})
	if got := tok.Decode([]targon.TokenID{4, 5, 2, 1}); got != "ab日本 語\uFFFD" {
		t.Errorf("decodes to %q", got)
	}
	// A merge that makes a control token is left out.
	g.Merges = append(g.Merges, "b b")
	g.Tokens[2] = "bb"
	if diff := cmp.Diff([]targon.TokenID{3, 3, 3}, g.load(t, map[string]any{"token_type": kinds}).Encode("bbb", false)); diff != "" {
		t.Error(diff)
	}
}

func TestByteLevelRefuses(t *testing.T) {
	g := golden{Pre: "gpt-2", Tokens: []string{"a", "b", "ab"}, Merges: []string{"a b"}}
	for _, tt := range []struct {
		name string
		more map[string]any
		kind error
		want string
	}{
		{"another rule", map[string]any{"pre": "tekken"}, tokenizer.ErrUnsupported, `"tekken", known are llama-bpe, qwen2, gpt-2, smollm, default`},
		{"no tokens", map[string]any{"tokens": nil}, tokenizer.ErrFormat, "0 tokens"},
		{"no merges", map[string]any{"merges": nil}, tokenizer.ErrFormat, "no tokenizer.ggml.merges"},
		{"numbers", map[string]any{"merges": []int32{1}}, tokenizer.ErrFormat, "no tokenizer.ggml.merges"},
		{"one token", map[string]any{"merges": []string{"ab"}}, tokenizer.ErrFormat, `merge 0 is "ab"`},
		{"left", map[string]any{"merges": []string{"a b", "x b"}}, tokenizer.ErrFormat, `merge 1, "x b"`},
		{"right", map[string]any{"merges": []string{"a x"}}, tokenizer.ErrFormat, "is not of tokens"},
		{"result", map[string]any{"merges": []string{"b a"}}, tokenizer.ErrFormat, "is not of tokens"},
		{"empty left", map[string]any{"merges": []string{" b"}}, tokenizer.ErrFormat, "not two tokens"},
		{"types", map[string]any{"token_type": []int32{1}}, tokenizer.ErrFormat, "but 1 types"},
		{"byte", map[string]any{"token_type": []int32{1, 1, 6}}, tokenizer.ErrFormat, "byte token 2"},
		{"bos", map[string]any{"bos_token_id": uint32(3)}, tokenizer.ErrFormat, "is 3 of 3"},
	} {
		f := &gguf.File{}
		keys := map[string]any{"model": "gpt2", "pre": g.Pre, "tokens": g.Tokens, "merges": g.Merges}
		maps.Copy(keys, tt.more)
		for key, value := range keys {
			if value != nil {
				if err := f.Set("tokenizer.ggml."+key, value); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := tokenizer.New(f)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %v with %q", tt.name, err, tt.kind, tt.want)
		}
	}
}

// byteRoundTrip checks what must hold of any bytes where the vocabulary has them all.
func byteRoundTrip(t fataler, tok *tokenizer.Tokenizer, text string) {
	for _, special := range []bool{false, true} {
		ids := tok.Encode(text, false)
		if special {
			ids = tok.EncodeSpecial(text, false)
		}
		var exact strings.Builder
		for _, id := range ids {
			piece := tok.Piece(id)
			if piece == "" && special {
				piece = tok.Text(id) // a control token that the text has spelled
			}
			exact.WriteString(piece)
		}
		if exact.String() != text {
			t.Fatalf("%q (special %v) came back as %q", text, special, exact.String())
		}
	}
	want := string([]rune(text))
	d := tok.Decoder()
	var stream strings.Builder
	for _, id := range tok.Encode(text, false) {
		part := d.Add(id)
		if !utf8.ValidString(part) {
			t.Fatalf("%q: the decoder emitted %q", text, part)
		}
		stream.WriteString(part)
	}
	stream.WriteString(d.Flush())
	if stream.String() != want {
		t.Fatalf("%q streamed as %q", text, stream.String())
	}
}

func TestByteLevelRoundTrip(t *testing.T) {
	for _, name := range ruleNames {
		tok := readGolden(t, name).load(t, nil)
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			text := rapid.OneOf(
				rapid.String(), rapid.StringMatching(`( |the|'s|<\|end\|>|<tool>|1|\n){0,20}`),
				rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			).Draw(t, "text")
			byteRoundTrip(t, tok, text)
		}))
	}
}

func FuzzByteLevelRoundTrip(f *testing.F) {
	for _, s := range []string{"", " ", "it's 1234", "<tool><|end|>x", "\xff\xc3", "naïve — 数据 🙂", "a\x00 \n\n b"} {
		f.Add(s)
	}
	var toks []*tokenizer.Tokenizer
	for _, name := range ruleNames {
		toks = append(toks, readGolden(f, name).load(f, nil))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range toks {
			byteRoundTrip(t, tok, text)
		}
	})
}

// TestByteLevelLongTextIsNotQuadratic encodes one long word, white space and digits.
func TestByteLevelLongTextIsNotQuadratic(t *testing.T) {
	for _, name := range ruleNames {
		tok := readGolden(t, name).load(t, nil)
		start := time.Now()
		for _, s := range []string{"e", " ", "1", "\n", "=", " \n", "'", "\xff", "<", "²"} {
			tok.Encode(strings.Repeat(s, 1<<16), false)
		}
		if spent := time.Since(start); spent > 20*time.Second {
			t.Errorf("%s: 640 KiB took %v", name, spent)
		}
	}
}

func BenchmarkByteLevel(b *testing.B) {
	for _, name := range ruleNames {
		g := readGolden(b, name)
		tok := g.load(b, nil)
		text := ""
		for _, c := range g.Cases {
			if len(c.Text) > len(text) {
				text = c.Text // the page that the vocabulary was trained on
			}
		}
		text = strings.Repeat(text, 50)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tok.Encode(text, true)
			}
		})
	}
}

func Example_byteLevel() {
	f := &gguf.File{}
	_ = f.Set("tokenizer.ggml.model", "gpt2")
	_ = f.Set("tokenizer.ggml.pre", "qwen2")
	_ = f.Set("tokenizer.ggml.tokens", []string{"h", "i", "Ġ", "hi", "Ġhi", "<|end|>"})
	_ = f.Set("tokenizer.ggml.merges", []string{"h i", "Ġ hi"})
	_ = f.Set("tokenizer.ggml.token_type", []int32{1, 1, 1, 1, 1, 3})
	tok, err := tokenizer.New(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := tok.Encode("hi hi", false)
	fmt.Println(ids)
	fmt.Printf("%q\n", tok.Decode(ids))
	fmt.Println(tok.EncodeSpecial("hi<|end|>", false))
	// Output:
	// [3 4]
	// "hi hi"
	// [3 5]
}
