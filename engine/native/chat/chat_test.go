package chat_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sirupsen/logrus"

	"targon/engine/native/chat"
)

// Templates as models of these families have them, written from the formats' rules.
const (
	chatML = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}` +
		`{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`

	zephyr = `{% for message in messages %}
{% if message.role == 'user' %}
{{ '<|user|>\n' + message.content + eos_token }}
{% elif message.role == 'system' %}
{{ '<|system|>\n' + message.content + eos_token }}
{% elif message.role == 'assistant' %}
{{ '<|assistant|>\n'  + message.content + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}`

	// System text goes into the first user turn; roles must alternate.
	llama2 = `{%- if messages[0]['role'] == 'system' -%}
    {%- set rest = messages[1:] -%}
    {%- set system = messages[0]['content'] -%}
{%- else -%}
    {%- set rest = messages -%}
    {%- set system = false -%}
{%- endif -%}
{%- for message in rest -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('roles must alternate: user, assistant, user') -}}
    {%- endif -%}
    {%- if loop.index0 == 0 and system -%}
        {%- set content = '<<SYS>>\n' + system + '\n<</SYS>>\n\n' + message['content'] -%}
    {%- else -%}
        {%- set content = message['content'] -%}
    {%- endif -%}
    {%- if message['role'] == 'user' -%}
        {{- bos_token + '[INST] ' + content.strip() + ' [/INST]' -}}
    {%- elif message['role'] == 'assistant' -%}
        {{- ' ' + content | trim + ' ' + eos_token -}}
    {%- endif -%}
{%- endfor -%}`

	// In the manner of Llama 3: a namespace, a macro, a test for what is not there.
	headers = `{{- bos_token }}
{%- set ns = namespace(system='') %}
{%- macro head(role) %}{{ '<|start|>' ~ role ~ '<|end|>\n\n' }}{%- endmacro %}
{%- for m in messages if m.role == 'system' %}{%- set ns.system = ns.system ~ m.content | trim %}{%- endfor %}
{%- if tools is defined and tools %}{{- raise_exception('no tools') }}{%- endif %}
{%- if ns.system %}{{- head('system') ~ ns.system ~ '<|eot|>' }}{%- endif %}
{%- for m in messages %}
    {%- if m.role != 'system' %}
        {{- head(m.role) + m['content'] | trim + '<|eot|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- head('assistant') }}
{%- endif %}`

	// The built-in model's.
	builtin = `{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}` +
		`{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}`
)

func say(turns ...string) []chat.Message {
	var out []chat.Message
	for i := 0; i < len(turns); i += 2 {
		out = append(out, chat.Message{Role: turns[i], Content: turns[i+1]})
	}
	return out
}

func parse(t testing.TB, template string) *chat.Template {
	t.Helper()
	tpl, err := chat.New(template, "<s>", "</s>")
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestKnownFormats(t *testing.T) {
	talk := say("system", " Be brief. ", "user", " Hi <b> & {{ 'x' }} ", "assistant", "Hello!", "user", "Bye\n")
	for _, tt := range []struct {
		name, template string
		messages       []chat.Message
		prompt         bool
		want           string
	}{
		{
			"chatml", chatML, talk, true,
			"<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\n Hi <b> & {{ 'x' }} <|im_end|>\n" +
				"<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye\n<|im_end|>\n<|im_start|>assistant\n",
		},
		{"chatml closed", chatML, say("user", "Hi"), false, "<|im_start|>user\nHi<|im_end|>\n"},
		{"chatml empty", chatML, nil, true, "<|im_start|>assistant\n"},
		{
			"zephyr", zephyr, say("system", "Be brief.", "user", "Hi"), true,
			"<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n",
		},
		{"zephyr closed", zephyr, say("user", "Hi", "assistant", "Yo"), false, "<|user|>\nHi</s>\n<|assistant|>\nYo</s>\n"},
		{
			"llama 2", llama2, talk, true,
			"<s>[INST] <<SYS>>\n Be brief. \n<</SYS>>\n\n Hi <b> & {{ 'x' }} [/INST] Hello! </s><s>[INST] Bye [/INST]",
		},
		{
			"headers", headers, talk, true,
			"<s><|start|>system<|end|>\n\nBe brief.<|eot|><|start|>user<|end|>\n\nHi <b> & {{ 'x' }}<|eot|>" +
				"<|start|>assistant<|end|>\n\nHello!<|eot|><|start|>user<|end|>\n\nBye<|eot|><|start|>assistant<|end|>\n\n",
		},
		{"built-in", builtin, say("user", "Who?"), true, "<s><|user|>\nWho?</s>\n<|assistant|>\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.template).Render(tt.messages, tt.prompt)
			if err != nil || got != tt.want {
				t.Errorf("got  %q\nwant %q (%v)", got, tt.want, err)
			}
		})
	}
}

// TestJinja pins what templates in the wild rely on.
func TestJinja(t *testing.T) {
	messages := say("user", "a,b", "assistant", "é\"<")
	for template, want := range map[string]string{
		`{{ messages | length }}{{ messages[-1].role }}`:                                                     "2assistant",
		`{% for m in messages %}{{ loop.index }}{{ loop.first }}{% endfor %}`:                                "1True2False",
		`{% for i in range(3) %}{{ i }}{% endfor %}`:                                                         "012",
		`{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}`:                                                  "531",
		`{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}`:                    "01",
		`{{ messages[0].content.split(',')[1] }}`:                                                            "b",
		`{{ messages[1].content | tojson }}`:                                                                 `"é\"\u003c"`,
		`{{ messages[0].missing is defined }}{{ missing is none }}`:                                          "FalseTrue",
		`{{ 'user' in messages[0].values() }}{{ 'a' in messages[0]['content'] }}`:                            "TrueTrue",
		`{{ messages | selectattr('role', 'equalto', 'user') | list | length }}`:                             "1",
		`{{ messages | map(attribute='role') | join('/') }}`:                                                 "user/assistant",
		`{{ (messages | last).role if messages else 'none' }}`:                                               "assistant",
		`{% set x %}<{{ messages[0].role }}>{% endset %}{{ x }}`:                                             "<user>",
		`{{ messages[0].content.replace(',', ';') | upper }}`:                                                "A;B",
		"  {% if true %}\nx\n  {% endif %}\ny\n":                                                             "x\ny",
		`{{ messages[0].content.startswith('a') and not messages[0].content.endswith('a') }}`:                "True",
		`{{ 'aaa'.replace('a', 'b', 2) }}{{ ' x\n'.strip() }}{{ '--x'.lstrip('-') }}{{ 'x--'.rstrip('-') }}`: "bbaxxx",
		`{{ messages[0].get('role') }}{{ messages[0].get('x', 'y') }}{{ 'a b'.split() | length }}`:           "usery2",
		`{% for k, v in messages[0].items() %}{{ k }}={{ v }};{% endfor %}`:                                  "content=a,b;role=user;",
		`{{ ('x' if messages else 'y') + ('z' if missing else 'w') }}`:                                       "xw",
		`{{ [1 if missing else 2, 3 if messages else 4] | join }}{{ ('x' if missing) ~ '.' }}`:               "23.",
		`{{ ('a' if missing else 'b' if messages else 'c') }}{{ dict(k='' if messages else 'x').k }}`:        "b",
		`{{ (missing.x.y if missing else (1 if 0 else 'if, else')) }}{{ {'a': 'b' if 1 else 'c'}.a }}`:       "if, elseb",
		`{{ ('ok' if messages else raise_exception('no')) }}{{ messages[0 if messages else 1].role }}`:       "okuser",
		`{% generation %}x{% endgeneration %}`:                                                               "x",
		`{{ dict(a=1).a }}{{ messages[::-1][0].role }}{{ 7 // 2 }}`:                                          "1assistant3",
	} {
		got, err := parse(t, template).Render(messages, false)
		if err != nil || got != want {
			t.Errorf("%s\ngot  %q\nwant %q (%v)", template, got, want, err)
		}
	}
}

func TestRefusal(t *testing.T) {
	_, err := parse(t, llama2).Render(say("user", "a", "user", "b"), true)
	if !errors.Is(err, chat.ErrRefused) || !strings.Contains(err.Error(), "roles must alternate: user, assistant, user") {
		t.Errorf("two user turns: %v", err)
	}
	// A refusal stays one where the template would go on with its text.
	_, err = parse(t, `{{ raise_exception('no') | string }}`).Render(nil, true)
	if !errors.Is(err, chat.ErrRefused) {
		t.Errorf("a swallowed refusal: %v", err)
	}
	tpl := parse(t, `{% if not messages %}{{ raise_exception('empty') }}{% endif %}ok`)
	if _, err := tpl.Render(nil, true); !errors.Is(err, chat.ErrRefused) {
		t.Errorf("no messages: %v", err)
	}
	if got, err := tpl.Render(say("user", "x"), true); got != "ok" || err != nil {
		t.Errorf("after a refusal: %q, %v", got, err)
	}
}

func TestUnusableTemplates(t *testing.T) {
	for _, template := range []string{
		`{% for m in messages %}`, `{{ messages`, `{% endif %}`, `{{ a b }}`, `{% nonsense %}`,
		`{% include '/etc/passwd' %}`, `{% include 'chat template' %}`, `{% extends 'chat template' %}`,
		`{% import 'x' as y %}`, `{% from 'x' import y %}`, `{% block a %}{% endblock %}`,
		`{% for x in messages recursive %}{{ loop(messages) }}{% endfor %}`,
		"{{ " + strings.Repeat("(", 60000), "{{ " + strings.Repeat("[", 60000),
		"{{ " + strings.Repeat("not ", 15000), "{{ " + strings.Repeat("- ", 30000), "{{ '",
		strings.Repeat("{% if x %}", 1500), "{% \x00 %}", "{#",
	} {
		tpl, err := chat.New(template, "", "")
		if err == nil { // some are only found out by rendering
			_, err = tpl.Render(say("user", "x"), true)
		}
		if err != nil && (strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 500) {
			t.Errorf("%.40s: error %q is not a short line", template, err)
		}
		if !errors.Is(err, chat.ErrTemplate) && !errors.Is(err, chat.ErrRender) && !errors.Is(err, chat.ErrLimit) {
			t.Errorf("%.40s: %v, want a refusal", template, err)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, template := range []string{
		`{{ 1 % 0 }}`, `{{ nothing() }}`, `{{ 'a' | random }}`, `{{ messages | lipsum }}`, `{{ 'x'.center(10) }}`,
		`{{ 'x'.ljust(1000000000) }}`, `{{ 'x' | center(1000000000) }}`, `{{ lipsum() }}`, `{{ cycler() }}`,
		`{{ range(1, 2, 0) }}`, `{{ range('x') }}`, `{{ range() }}`, `{{ 'x' * -1 }}`,
	} {
		tpl, err := chat.New(template, "", "")
		if err == nil {
			_, err = tpl.Render(say("user", "x"), true)
		}
		if !errors.Is(err, chat.ErrRender) && !errors.Is(err, chat.ErrTemplate) {
			t.Errorf("%s: %v, want ErrRender or ErrTemplate", template, err)
		}
	}
}

func TestLimits(t *testing.T) {
	if _, err := chat.New(strings.Repeat("x", chat.MaxTemplate+1), "", ""); !errors.Is(err, chat.ErrLimit) {
		t.Errorf("a template of 64 KiB and a byte: %v", err)
	}
	if _, err := chat.New(strings.Repeat("x", chat.MaxTemplate), "", ""); err != nil {
		t.Errorf("a template of 64 KiB: %v", err)
	}
	tpl := parse(t, chatML)
	fits := strings.Repeat("x", chat.MaxMessages-4-16)
	if _, err := tpl.Render(say("user", fits), true); err != nil {
		t.Errorf("a MiB of messages: %v", err)
	}
	if _, err := tpl.Render(say("user", fits+"x"), true); !errors.Is(err, chat.ErrLimit) {
		t.Errorf("a MiB of messages and a byte: %v", err)
	}
	if _, err := tpl.Render(make([]chat.Message, chat.MaxMessages/16+1), true); !errors.Is(err, chat.ErrLimit) {
		t.Errorf("very many empty messages: %v", err)
	}
	for name, template := range map[string]string{
		"output":           `{% for i in range(5) %}{{ messages[0].content }}{% endfor %}`,
		"rounds at once":   `{% for c in messages[0].content %}{% endfor %}`,
		"steps":            `{% for i in range(65536) %}{% for j in range(65536) %}{% endfor %}{% endfor %}`,
		"rounds of text":   `{% for i in range(9) %}{% for c in messages[0].content[:60000] %}{% endfor %}{% endfor %}`,
		"range":            `{% for i in range(1000000000000) %}{% endfor %}`,
		"backwards":        `{% for i in range(0, -1000000000000, -1) %}{% endfor %}`,
		"recursion":        `{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}`,
		"mutual recursion": `{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}`,
		"swallowed":        `{% macro f() %}{{ f() | default('') }}{% endmacro %}{{ f() | default('x', true) }}`,
		"fan-out":          `{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(30) }}`,
	} {
		t.Run(name, func(t *testing.T) {
			tpl := parse(t, template)
			before := runtime.NumGoroutine()
			if _, err := tpl.Render(say("user", fits), true); !errors.Is(err, chat.ErrLimit) {
				t.Errorf("%v, want ErrLimit", err)
			}
			if after := runtime.NumGoroutine(); after > before {
				t.Errorf("%d goroutines were left behind", after-before)
			}
		})
	}
}

// TestBudgetIsPerRendering: what one rendering took is not missing from the next,
// and a rendering within the budget may take most of it.
func TestBudgetIsPerRendering(t *testing.T) {
	tpl := parse(t, `{% for i in range(60000) %}{% endfor %}{% macro f(n) %}{% if n %}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(31) }}`)
	for range 4 {
		if _, err := tpl.Render(nil, true); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConcurrentAndRepeatable(t *testing.T) {
	tpl := parse(t, headers)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				text := fmt.Sprintf("message %d", i)
				got, err := tpl.Render(say("user", text), false)
				if want := "<s><|start|>user<|end|>\n\n" + text + "<|eot|>"; got != want || err != nil {
					t.Errorf("got %q (%v)", got, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSilent: the template engine logs nothing, not even at the finest level.
func TestSilent(t *testing.T) {
	var log bytes.Buffer
	logger := logrus.StandardLogger()
	out, level := logger.Out, logger.GetLevel()
	logger.SetOutput(&log)
	logger.SetLevel(logrus.TraceLevel)
	defer func() { logger.SetOutput(out); logger.SetLevel(level) }()
	for _, template := range []string{headers, `{{ messages + 1 }}{{ messages[0] | int }}`, `{{ (`} {
		if tpl, err := chat.New(template, "", ""); err == nil {
			_, _ = tpl.Render(say("user", "x"), true)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged %q", log.String())
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{chatML, zephyr, llama2, headers, builtin, `{{ range(3) | join }}`, `{% raw %}{{{% endraw %}`, `{{ (a if b else [c if d, e]) }}`} {
		f.Add(s, "user", "hello")
	}
	f.Fuzz(func(t *testing.T, template, role, content string) {
		if strings.ContainsAny(template, "*~+") { // memory of one expression is not bounded
			return
		}
		tpl, err := chat.New(template, "<s>", "</s>")
		if err == nil {
			_, err = tpl.Render(say(role, content), true)
		}
		if err == nil {
			return
		}
		for _, kind := range []error{chat.ErrTemplate, chat.ErrRender, chat.ErrRefused, chat.ErrLimit} {
			if errors.Is(err, kind) {
				return
			}
		}
		t.Fatalf("untyped error %v", err)
	})
}

func BenchmarkRender(b *testing.B) {
	tpl := parse(b, llama2)
	messages := say("system", "Be brief.", "user", "Hi", "assistant", "Hello!", "user", "Bye")
	for b.Loop() {
		if _, err := tpl.Render(messages, true); err != nil {
			b.Fatal(err)
		}
	}
}

func Example() {
	t, err := chat.New(`{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}`+
		`{% endfor %}{% if add_generation_prompt %} [assistant]{% endif %}`, "<s>", "</s>")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Render([]chat.Message{{Role: "user", Content: "Who are you?"}}, true))
	// Output: <s>[user] Who are you? [assistant] <nil>
}
