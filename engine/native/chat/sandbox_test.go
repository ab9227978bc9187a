package chat

import (
	"errors"
	"strconv"
	"strings"
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

// TestHoldsItself: a value within itself would overflow the stack of whatever prints or
// compares it, and end the process.
func TestHoldsItself(t *testing.T) {
	talk := []Message{{"user", "hi"}, {"assistant", "yo"}}
	for _, show := range []string{"{{ v }}", "{{ v | tojson }}", "{{ v == v }}", "{{ v | string | length }}", ""} {
		for _, make := range []string{
			"{% set v = namespace() %}{% set v.x = v %}",
			"{% set v = namespace() %}{%- set v['x'] = v -%}",
			"{% set v = namespace() %}{% set v.x = [1, v] %}",
			"{% set v = namespace() %}{% set v.x = {'a': {'b': v}} %}",
			"{% set v = namespace() %}{% set v.x = namespace(y=v) %}",
			"{% set v = namespace(x=namespace()) %}{% set v.x.y = v %}",
			"{% set v = namespace(x=namespace()) %}{% set v.x.y = v.x %}",
			"{% set v = namespace(l=[]) %}{% set v.l = v.l + [v] %}",
			"{% set v = dict(a=1) %}{% set v.a %}b{% endset %}{% set v.b = v if true else 1 %}",
			"{% set v = messages %}{% set v[0].x = messages %}",
			"{% set v = messages %}{% for m in messages %}{% set m.x = v %}{% endfor %}",
			"{% set v = namespace() %}{% with w = v %}{% set w.x = v %}{% endwith %}",
		} {
			tpl, err := New(make+show, "", "")
			if err != nil {
				t.Errorf("%s: %v", make, err)
				continue
			}
			if got, err := tpl.Render(talk, true); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "holds itself") {
				t.Errorf("%s: %q, %v", make+show, got, err)
			}
		}
	}
	for _, template := range []string{ // what is written into could not be watched
		"{% set v = namespace(a=1) %}{% set v.get('x', v).y = v %}", "{% set (v).x = v %}", "{% set [v][0].x = v %}",
		"{% set namespace(a=v).a.x = v %}", "{%- set {'a': v}['a'].x = v %}",
	} {
		if _, err := New("{% set v = namespace() %}"+template, "", ""); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", template, err)
		}
	}
	// Twice in one value is not within itself, however often.
	tpl, err := New("{% set v = namespace(x=[1]) %}"+strings.Repeat("{% set v.x = [v.x, v.x] %}", 60)+
		"{% set v.m = messages %}{% set v.n = v.m %}{{ v.x | length }}{{ v.n[0].role }}", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tpl.Render(talk, true); got != "2user" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestLongTexts: work on a long message costs its length, so that no template of a few
// statements is busy with it for hours.
func TestLongTexts(t *testing.T) {
	const size, times = 1 << 18, 20
	talk := []Message{{"user", strings.Repeat("a", size)}}
	for each, cost := range map[string]int{
		"{% if messages[0].content | upper %}{% endif %}":                   2 * size / filterBytes, // read and written
		"{% if messages[0].content | length %}{% endif %}":                  size / filterBytes,
		"{% if [messages[0].content, 'b'] | join(',') %}{% endif %}":        size / filterBytes,
		"{% if messages[0].content.strip() %}{% endif %}":                   size / methodBytes,
		"{% if messages[0].content.replace('b', 'c') == '' %}{% endif %}":   size / methodBytes,
		"{% set x = messages[0].content ~ 'b' %}":                           size / copyBytes,
		"{% set ns.x = messages[0].content ~ 'b' %}":                        size / copyBytes,
		"{% set ns.x = [messages[0].content ~ 'b', {'a': messages[0]}] %}":  2 * size / copyBytes,
		"{% set ns.x = messages[0].content %}{% set ns.x = 'one letter' %}": size / copyBytes,
	} {
		tpl, err := New("{% set ns = namespace() %}{% for i in range("+strconv.Itoa(times)+") %}"+each+"{% endfor %}", "", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.Render(talk, true); err != nil || tpl.run.steps < times*cost || tpl.run.steps > times*(cost+20) {
			t.Errorf("%s costs %d steps %d times, want %d each (%v)", each, tpl.run.steps, times, cost, err)
		}
	}
	tpl, err := New("{% for i in range(20000) %}{% if messages[0].content | trim %}{% endif %}{% endfor %}", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tpl.Render(talk, true); !errors.Is(err, ErrLimit) {
		t.Errorf("without end: %v", err)
	}
}
