package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"targon"
	"targon/wire/exact"
)

// Bounds of a body. Whatever is larger is refused before it costs more than reading it.
const (
	maxBody     = 4 << 20
	maxPrompts  = 64
	maxMessages = 1024
	maxStops    = 64
	maxBiases   = 4096
	bodyTime    = 30 * time.Second
	beginning   = 64 << 10 // of a body that is read before there is a place for it
)

// begun reads the beginning of a body, which for most is all of it, and puts it back: who
// sends nothing must not keep others out.
func begun(w http.ResponseWriter, r *http.Request) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // readBody takes it away
	head, err := io.ReadAll(io.LimitReader(r.Body, beginning))
	if err != nil {
		return errEarly
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	return nil
}

// readBody reads at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return nil, errCoding
	}
	// The deadline must be gone before the answer, or the server would take it for the
	// client's going away. Writers that have no deadline (tests) need none.
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime))
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = rc.SetReadDeadline(time.Time{})
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errLarge
		}
		return nil, errEarly
	}
	if err := exact.Text(raw); err != nil {
		return nil, badBody("request body: %v", err)
	}
	return raw, nil
}

// fields takes a JSON object apart, field by field: what has not been read when it ends
// is what nobody honours. The first error stays.
type fields struct {
	path string // of the object, such as "messages[1]."
	left map[string]json.RawMessage
	err  error
}

func parseObject(raw []byte, path string) *fields {
	f := &fields{path: path}
	err := json.Unmarshal(raw, &f.left)
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok { // such as NaN, which Python writes
		f.err = badBody("request body is not JSON: %v, after %d bytes", wrong, wrong.Offset)
	} else if err != nil || f.left == nil {
		f.left, f.err = nil, badBody("%snot a JSON object", path)
	}
	return f
}

// fail notes an error about a field.
func (f *fields) fail(name, format string, args ...any) {
	if f.err == nil {
		f.err = badField(f.path+name, format, args...)
	}
}

// take removes a field; a null is the same as no field.
func (f *fields) take(name string) (json.RawMessage, bool) {
	raw, ok := f.left[name]
	delete(f.left, name)
	return raw, ok && string(raw) != "null"
}

// read decodes a field into dst and reports whether it was there.
func (f *fields) read(name string, dst any) bool {
	raw, ok := f.take(name)
	if !ok {
		return false
	}
	if wanted, ok := exact.Field(raw, dst); !ok {
		f.fail(name, "has the wrong type, want %s", wanted)
	}
	return true
}

// number reads an integer that must lie in a range.
func (f *fields) number(name string, fallback, low, high int64) int64 {
	n := fallback
	if f.read(name, &n) && (n < low || n > high) {
		f.fail(name, "%d, want %d to %d", n, low, high)
	}
	return n
}

// real reads a number that must lie in a range. -0 is 0.
func (f *fields) real(name string, fallback, low, high float64) float64 {
	v := fallback
	if f.read(name, &v) && !(v >= low && v <= high) {
		if low == math.SmallestNonzeroFloat64 {
			f.fail(name, "%v, want more than 0, up to %v", v, high)
		}
		f.fail(name, "%v, want %v to %v", v, low, high)
	}
	return v + 0
}

func (f *fields) flag(name string, fallback bool) bool {
	f.read(name, &fallback)
	return fallback
}

// ids decodes a list of ids. A null among them is no id, though encoding/json reads 0.
func ids(raw json.RawMessage) ([]targon.TokenID, bool) {
	var list []targon.TokenID
	if json.Unmarshal(raw, &list) != nil || bytes.Contains(raw, []byte("null")) {
		return nil, false
	}
	return list, !slices.ContainsFunc(list, func(id targon.TokenID) bool { return id < 0 })
}

func (f *fields) ids(name string) []targon.TokenID {
	raw, ok := f.take(name)
	if !ok {
		return nil
	}
	list, ok := ids(raw)
	if !ok {
		f.fail(name, "want a list of ids")
	}
	return list
}

// silent are fields that change nothing about an answer of this server.
var silent = []string{
	"user", "metadata", "store", "service_tier", "request_id", "session_id", "safety_identifier", "prompt_cache_key",
	"priority", "stream_interval", "parallel_tool_calls", "include_reasoning",
	"spaces_between_special_tokens", "return_mm_kwargs", "return_token_offsets", "routed_experts_prompt_start",
	"truncation_side", "length_penalty", "chat_template_content_format",
}

// neutral are fields that nobody here honours, with the values that ask for nothing.
var neutral = map[string][]string{
	"best_of":                {"1"},
	"use_beam_search":        {"false"},
	"bad_words":              {"[]"},
	"skip_special_tokens":    {"true"},
	"suffix":                 {`""`},
	"tools":                  {"[]"},
	"tool_choice":            {`"none"`, `"auto"`},
	"tool_calls":             {"[]"}, // of an assistant's turn, as servers send it
	"annotations":            {"[]"},
	"functions":              {"[]"},
	"function_call":          {`"none"`, `"auto"`},
	"modalities":             {`["text"]`},
	"response_format":        {`{"type":"text"}`},
	"add_generation_prompt":  {"true"},
	"continue_final_message": {"false"},
	"documents":              {"[]"},
	"chat_template_kwargs":   {"{}"},
	"return_prompt_text":     {"false"},
	"watermarking":           {"false"},
}

// end refuses the first field, by name, that has not been read and is not harmless.
func (f *fields) end() error {
	for _, name := range slices.Sorted(maps.Keys(f.left)) {
		raw, ok := f.take(name)
		if ok && !slices.Contains(silent, name) && !slices.Contains(neutral[name], plain(raw)) {
			if harmless := neutral[name]; len(harmless) > 0 {
				f.fail(name, "is not supported, other than as %s", strings.Join(harmless, " or "))
			}
			f.fail(name, "is not supported")
		}
	}
	return f.err
}

// plain gives equal JSON values one text: numbers in shortest form, no white space
// outside strings. raw is valid JSON.
func plain(raw json.RawMessage) string {
	if x, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return ""
	}
	return b.String()
}
