package chat

import (
	"errors"
	"testing"
)

// TestLoaderKnowsOneName holds the second line of defence: even a statement that
// reached for a file, which none that is offered does, would not get it.
func TestLoaderKnowsOneName(t *testing.T) {
	l := loader("x")
	for _, path := range []string{"/etc/passwd", "", "../x", "sandbox.go"} {
		if _, err := l.Read(path); !errors.Is(err, ErrTemplate) {
			t.Errorf("Read(%q): %v", path, err)
		}
		if _, err := l.Resolve(path); !errors.Is(err, ErrTemplate) {
			t.Errorf("Resolve(%q): %v", path, err)
		}
	}
	inner, err := l.Inherit("/etc")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inner.Read("passwd"); !errors.Is(err, ErrTemplate) {
		t.Errorf("an inherited loader reads: %v", err)
	}
}

func TestRangeOf(t *testing.T) {
	tpl, err := New("{{ range(-3, 3, 2) | join(' ') }}|{{ range(0) | length }}|{{ range(65536) | length }}", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tpl.Render(nil, false); got != "-3 -1 1|0|65536" || err != nil {
		t.Errorf("got %q (%v)", got, err)
	}
}
