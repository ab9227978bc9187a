package chat_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon/engine/native/chat"
)

func family(t testing.TB, name string) *chat.Template {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", "families", name+".jinja"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(source))
}

// TestFamilies holds every rendering to that of Jinja itself: see
// testdata/families/README.md.
func TestFamilies(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "families", "rendered.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Template string         `json:"template"`
		Talk     string         `json:"talk"`
		Messages []chat.Message `json:"messages"`
		Prompt   bool           `json:"prompt"`
		Text     string         `json:"text"`
		Refused  *string        `json:"refused"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	templates := map[string]*chat.Template{}
	for _, c := range cases {
		if templates[c.Template] == nil {
			templates[c.Template] = family(t, c.Template)
		}
		got, err := templates[c.Template].Render(c.Messages, c.Prompt)
		switch {
		case c.Refused != nil:
			if !errors.Is(err, chat.ErrRefused) || !strings.Contains(err.Error(), *c.Refused) {
				t.Errorf("%s, %s: %q, %v, want the refusal %q", c.Template, c.Talk, got, err, *c.Refused)
			}
		case err != nil || got != c.Text:
			t.Errorf("%s, %s, prompt %v\ngot  %q\nwant %q (%v)", c.Template, c.Talk, c.Prompt, got, c.Text, err)
		}
	}
	if len(templates) != 9 || len(cases) != 9*14*2 {
		t.Errorf("%d templates and %d cases", len(templates), len(cases))
	}
}
