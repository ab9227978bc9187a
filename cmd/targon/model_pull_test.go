package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"targon/engine/native/gguf"
)

// hub is a server with one file and faults to order.
type hub struct {
	*httptest.Server
	content []byte

	mu       sync.Mutex
	etag     string
	breaks   []int64 // each answer ends after as many bytes, while there are entries
	asked    []string
	ifRange  []string
	override http.HandlerFunc // answers instead, when set
	linked   string           // X-Linked-Etag of the redirect; "" for no redirect
	digest   string           // Repr-Digest
}

// emptyModel is the header of a file of version 3 without keys and tensors, behind which
// anything may lie.
const emptyModel = "GGUF\x03\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"

func newHub(t *testing.T, size int) *hub {
	t.Helper()
	h := &hub{content: append([]byte(emptyModel), bytes.Repeat([]byte("0123456789abcdef"), size/16)...), etag: `"one"`}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.linked != "" && !strings.HasPrefix(r.URL.Path, "/cdn/") {
		w.Header().Set("X-Linked-Etag", `"`+h.linked+`"`)
		w.Header().Set("ETag", `"of the redirect"`)
		http.Redirect(w, r, "/cdn"+r.URL.Path, http.StatusFound)
		return
	}
	h.asked = append(h.asked, r.Header.Get("Range"))
	h.ifRange = append(h.ifRange, r.Header.Get("If-Range"))
	if h.override != nil {
		h.override(w, r)
		return
	}
	if h.etag != "" {
		w.Header().Set("ETag", h.etag)
	}
	if h.digest != "" {
		w.Header().Set("Repr-Digest", h.digest)
	}
	if len(h.breaks) == 0 {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.content))
		return
	}
	n := h.breaks[0]
	h.breaks = h.breaks[1:]
	http.ServeContent(&breaking{w, n}, r, "", time.Time{}, bytes.NewReader(h.content))
}

// breaking drops the connection after some bytes.
type breaking struct {
	http.ResponseWriter
	left int64
}

func (b *breaking) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		_, _ = b.ResponseWriter.Write(p[:b.left])
		_ = http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	b.left -= int64(len(p))
	return b.ResponseWriter.Write(p)
}

func (h *hub) sum() string {
	s := sha256.Sum256(h.content)
	return hex.EncodeToString(s[:])
}

// puller is a user with a cache of his own, who never waits.
type puller struct {
	t     *testing.T
	cache string
	hub   string
	o     modelOutside
	waits int
}

func newPuller(t *testing.T, h *hub) *puller {
	t.Helper()
	p := &puller{t: t, cache: t.TempDir(), hub: h.URL}
	p.o = modelOutside{
		client:   h.Client(),
		lookup:   func(name string) (string, bool) { return p.hub, name == hubVariable },
		cache:    func() (string, error) { return p.cache, nil },
		wait:     func(context.Context, int) error { p.waits++; return nil },
		idle:     time.Minute,
		terminal: func(io.Writer) bool { return false },
	}
	return p
}

func (p *puller) pull(args ...string) (pulled, string, error) {
	p.t.Helper()
	stdout, stderr, err := runModel(p.t.Context(), p.o, append([]string{"pull", "--json"}, args...)...)
	var out pulled
	if err == nil {
		if e := json.Unmarshal([]byte(stdout), &out); e != nil {
			p.t.Fatalf("printed %q: %v", stdout, e)
		}
	} else if stdout != "" {
		p.t.Errorf("printed %q with error %v", stdout, err)
	}
	return out, stderr, err
}

// files lists what lies in the cache.
func (p *puller) files() []string {
	p.t.Helper()
	var names []string
	err := filepath.WalkDir(p.cache, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(p.cache, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return names
}

const hubName = "hf:owner/repo/m.gguf"

func (p *puller) holds(h *hub, got pulled, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	data, err := os.ReadFile(got.Path)
	if err != nil || !bytes.Equal(data, h.content) || got.SHA256 != h.sum() || got.Bytes != int64(len(h.content)) {
		p.t.Errorf("%d bytes of %d, %+v, %v", len(data), len(h.content), got, err)
	}
	if files := p.files(); len(files) != 1 {
		p.t.Errorf("the cache holds %q", files)
	}
}

func TestPull(t *testing.T) {
	h := newHub(t, 1<<20)
	p := newPuller(t, h)
	got, progress, err := p.pull(hubName)
	p.holds(h, got, err)
	if files := p.files(); files[0] != "targon/models/owner/repo/m.gguf" || got.Verified != "" || got.Cached {
		t.Errorf("%q, %+v", files, got)
	}
	if !strings.Contains(progress, "targon: m.gguf 1.0 MB of 1.0 MB, 100%\n") || strings.Count(progress, "\n") > 12 || strings.Contains(progress, "\r") {
		t.Errorf("progress %q", progress)
	}
	// Again: from the cache, without a question.
	asked := len(h.asked)
	got, _, err = p.pull(hubName, "--sha256", strings.ToUpper(h.sum()))
	p.holds(h, got, err)
	if len(h.asked) != asked || !got.Cached || got.Verified != byFlag {
		t.Errorf("asked %d times, %+v", len(h.asked)-asked, got)
	}
	if _, _, err = p.pull(hubName, "--sha256", strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "remove it to fetch it again") {
		t.Errorf("a cached file of another hash: %v", err)
	}
	stdout, _, err := runModel(t.Context(), p.o, "pull", hubName)
	if want := fmt.Sprintf("%s\n%d bytes\nsha256 %s (was in the cache already)\n", got.Path, got.Bytes, h.sum()); err != nil || stdout != want {
		t.Errorf("printed %q, want %q", stdout, want)
	}
}

// TestPullResumes: broken connections are picked up where they stopped, within a run
// and by the next run.
func TestPullResumes(t *testing.T) {
	h := newHub(t, 1<<20)
	h.breaks = []int64{300_000, 0, 400_000, 1}
	p := newPuller(t, h)
	got, _, err := p.pull(hubName)
	p.holds(h, got, err)
	if want := "|bytes=300000-|bytes=300000-|bytes=700000-|bytes=700001-"; strings.Join(h.asked, "|") != want {
		t.Errorf("asked for %q, want %q", strings.Join(h.asked, "|"), want)
	}
	if h.ifRange[1] != `"one"` || p.waits != 4 {
		t.Errorf("If-Range %q, waited %d times", h.ifRange, p.waits)
	}

	h.asked, h.breaks = nil, []int64{500_000, 0, 0, 0, 0}
	p = newPuller(t, h)
	if _, _, err = p.pull(hubName); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "pull again to go on") {
		t.Fatalf("five broken connections: %v", err)
	}
	if files := strings.Join(p.files(), " "); !strings.HasSuffix(files, "m.gguf.partial targon/models/owner/repo/m.gguf.partial.json") || strings.Contains(files, "m.gguf ") {
		t.Errorf("the cache holds %q", files)
	}
	h.asked = nil
	got, _, err = p.pull(hubName)
	p.holds(h, got, err)
	if strings.Join(h.asked, "|") != "bytes=500000-" {
		t.Errorf("the next run asked for %q", h.asked)
	}
}

// TestPullStartsOver: where the server has another file now, or cannot promise that it
// has not, nothing of the old one is kept.
func TestPullStartsOver(t *testing.T) {
	for name, change := range map[string]func(*hub){
		"other file":        func(h *hub) { h.etag = `"two"`; h.content = bytes.Clone(h.content); h.content[99] = 'x' },
		"other file, weak":  func(h *hub) { h.etag = `W/"one"`; h.content = bytes.Clone(h.content); h.content[99] = 'x' },
		"shorter":           func(h *hub) { h.etag = `"two"`; h.content = h.content[:1000] },
		"longer, same tag":  func(h *hub) { h.content = append(bytes.Clone(h.content), "more"...) },
		"shorter, same tag": func(h *hub) { h.content = h.content[:1000] },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 1<<20)
			h.breaks = []int64{500_000, 0, 0, 0, 0}
			p := newPuller(t, h)
			if _, _, err := p.pull(hubName); !errors.Is(err, errBroken) {
				t.Fatal(err)
			}
			change(h)
			got, _, err := p.pull(hubName)
			p.holds(h, got, err)
		})
	}
	for name, tag := range map[string]string{"weak tag": `W/"one"`, "no tag": ""} {
		h := newHub(t, 1<<20)
		h.etag, h.breaks = tag, []int64{500_000}
		p := newPuller(t, h)
		got, _, err := p.pull(hubName)
		p.holds(h, got, err)
		if strings.Join(h.asked, "|") != "|" {
			t.Errorf("%s: asked for %q", name, h.asked)
		}
	}
}

// TestPullWithoutTheLastStep: a run that was killed between the last byte and the name
// leaves nothing to fetch.
func TestPullWithoutTheLastStep(t *testing.T) {
	h := newHub(t, 1<<16)
	p := newPuller(t, h)
	got, _, err := p.pull(hubName)
	p.holds(h, got, err)
	said, _ := json.Marshal(served{URL: h.URL + "/owner/repo/resolve/main/m.gguf", ETag: `"one"`, Size: got.Bytes})
	write(t, got.Path+".partial.json", said)
	if err := os.Rename(got.Path, got.Path+".partial"); err != nil {
		t.Fatal(err)
	}
	h.asked = nil
	got, _, err = p.pull(hubName)
	p.holds(h, got, err)
	if len(h.asked) != 0 {
		t.Errorf("asked for %q", h.asked)
	}
	// The notes of another address do not count.
	said, _ = json.Marshal(served{URL: h.URL + "/other", ETag: `"one"`, Size: got.Bytes})
	write(t, got.Path+".partial.json", said)
	if err := os.Rename(got.Path, got.Path+".partial"); err != nil {
		t.Fatal(err)
	}
	got, _, err = p.pull(hubName)
	p.holds(h, got, err)
	if len(h.asked) != 1 || h.asked[0] != "" {
		t.Errorf("asked for %q", h.asked)
	}
}

func TestPullHashes(t *testing.T) {
	wrong := strings.Repeat("ab", 32)
	h := newHub(t, 1<<16)
	raw, _ := hex.DecodeString(h.sum())
	for name, c := range map[string]struct {
		linked, digest, flag string
		verified, says       string
		asks                 int
	}{
		"hub's word":       {linked: h.sum(), verified: byServer, asks: 1},
		"wrong hub":        {linked: wrong, says: "by the server it should be " + wrong, asks: 1},
		"header":           {digest: "sha-256=:" + base64.StdEncoding.EncodeToString(raw) + ":", verified: byServer, asks: 1},
		"other header":     {digest: "sha-512=:AAAA:, sha-256=:AAAA:", asks: 1},
		"wrong header":     {digest: "sha-256=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":", says: "by the server", asks: 1},
		"git's tag":        {linked: "0123456789012345678901234567890123456789", asks: 1},
		"flag":             {flag: h.sum(), verified: byFlag, asks: 1},
		"wrong flag":       {flag: wrong, says: "by the flag it should be " + wrong, asks: 1},
		"flag against hub": {linked: h.sum(), flag: wrong, says: "the server says sha256", asks: 1},
		"no hash":          {flag: "abc", says: "want 64 hex digits"},
	} {
		t.Run(name, func(t *testing.T) {
			h.mu.Lock()
			h.linked, h.digest, h.asked = c.linked, c.digest, nil
			h.mu.Unlock()
			p := newPuller(t, h)
			args := []string{hubName}
			if c.flag != "" {
				args = append(args, "--sha256", c.flag)
			}
			got, _, err := p.pull(args...)
			if len(h.asked) != c.asks {
				t.Errorf("asked %d times, want %d", len(h.asked), c.asks)
			}
			if c.says == "" {
				p.holds(h, got, err)
				if got.Verified != c.verified {
					t.Errorf("verified by %q, want %q", got.Verified, c.verified)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			for _, f := range p.files() {
				if !strings.HasSuffix(f, ".partial") {
					t.Errorf("left %s", f)
				}
				if info, err := os.Stat(filepath.Join(p.cache, f)); err != nil || info.Size() > 0 {
					t.Errorf("left %d bytes in %s (%v)", info.Size(), f, err)
				}
			}
		})
	}
}

// TestPullLies: servers that do not keep to what they say.
func TestPullLies(t *testing.T) {
	whole := func(w http.ResponseWriter, size, sent int) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		w.Header().Set("ETag", `"one"`)
		_, _ = w.Write(append([]byte("GGUF"), make([]byte, sent-4)...))
	}
	part := func(w http.ResponseWriter, span string, sent int) {
		w.Header().Set("Content-Range", span)
		w.Header().Set("ETag", `"one"`)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(make([]byte, sent))
	}
	for name, c := range map[string]struct {
		says    string
		asks    int
		handler http.HandlerFunc
	}{
		"absent":       {"404", 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }},
		"gated":        {"needs an account", 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }},
		"overloaded":   {"503", attempts, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		"a page":       {"no GGUF file", 1, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }},
		"nothing":      {"broke", attempts, func(http.ResponseWriter, *http.Request) {}},
		"unasked part": {"206", 1, func(w http.ResponseWriter, _ *http.Request) { part(w, "bytes 0-99/100", 100) }},
		"loop":         {"redirects more than ten times", 10, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }},
		"astray": {"redirects from http to file", 1, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}},
		"short": {"503", attempts, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				whole(w, 1000, 500)
				return
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		}},
		"other span": {"changed on the server", 2 * attempts, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				whole(w, 1000, 500)
				return
			}
			part(w, "bytes 400-999/1000", 600)
		}},
		"other total": {"changed on the server", 2 * attempts, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				whole(w, 1000, 500)
				return
			}
			part(w, "bytes 500-1999/2000", 1500)
		}},
		"no span": {"changed on the server", 2 * attempts, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				whole(w, 1000, 500)
				return
			}
			part(w, "", 500)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 16)
			h.override = c.handler
			p := newPuller(t, h)
			_, _, err := p.pull(hubName)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if c.asks > 0 && len(h.asked) != c.asks {
				t.Errorf("asked %d times, want %d", len(h.asked), c.asks)
			}
			for _, f := range p.files() {
				if info, err := os.Stat(filepath.Join(p.cache, f)); strings.HasSuffix(f, ".gguf") || err != nil || info.Size() == 0 {
					t.Errorf("left %s", f)
				}
			}
		})
	}
}

// TestPullEndsEarly: a server whose own copy is cut short says nothing of it. Where nobody
// names a hash, the file itself tells.
func TestPullEndsEarly(t *testing.T) {
	h := newHub(t, 1<<10)
	h.content = []byte(emptyModel[:8] + "\x01" + emptyModel[9:]) // a tensor that is not there
	p := newPuller(t, h)
	if _, _, err := p.pull(hubName); !errors.Is(err, gguf.ErrTruncated) || !strings.Contains(err.Error(), "it was removed") {
		t.Errorf("%v", err)
	}
	if files := p.files(); len(files) != 0 {
		t.Errorf("left %q", files)
	}
	got, _, err := p.pull(hubName, "--sha256", h.sum()) // who names this very file gets it
	p.holds(h, got, err)
	h.content[8], h.content[4] = 0, 9 // of a version that is not read here
	p = newPuller(t, h)
	got, _, err = p.pull(hubName)
	p.holds(h, got, err)
}

// TestPullUnknownSize: an answer in chunks has no length, and is taken as it ends.
func TestPullUnknownSize(t *testing.T) {
	h := newHub(t, 1<<16)
	h.override = func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(h.content)
	}
	p := newPuller(t, h)
	got, _, err := p.pull(hubName)
	p.holds(h, got, err)
}

// TestPullSilence: a connection on which nothing comes is given up and picked up again.
func TestPullSilence(t *testing.T) {
	h := newHub(t, 1<<16)
	release := make(chan struct{})
	silent := true
	h.override = func(w http.ResponseWriter, r *http.Request) {
		if !silent {
			w.Header().Set("ETag", h.etag)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.content))
			return
		}
		silent = false
		w.Header().Set("ETag", h.etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(h.content)))
		_, _ = w.Write(h.content[:1000])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}
	t.Cleanup(func() { close(release) })
	p := newPuller(t, h)
	p.o.idle = 50 * time.Millisecond
	got, _, err := p.pull(hubName)
	p.holds(h, got, err)
	if last := h.asked[len(h.asked)-1]; last != "bytes=1000-" {
		t.Errorf("asked for %q", h.asked)
	}
}

// TestPullInterrupted: what has come stays, and nobody waits.
func TestPullInterrupted(t *testing.T) {
	h := newHub(t, 1<<20)
	h.breaks = []int64{500_000, 0}
	p := newPuller(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	p.o.wait = func(ctx context.Context, _ int) error { cancel(); return ctx.Err() }
	if _, _, err := runModel(ctx, p.o, "pull", hubName); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if files := p.files(); len(files) != 2 {
		t.Errorf("the cache holds %q", files)
	}
}

// TestPullTwice: of two pulls of a file at a time the second is told.
func TestPullTwice(t *testing.T) {
	h := newHub(t, 1<<20)
	p := newPuller(t, h)
	h.breaks = []int64{500_000}
	var second error
	p.o.wait = func(ctx context.Context, _ int) error {
		_, _, second = runModel(ctx, p.o, "pull", hubName)
		return nil
	}
	got, _, err := p.pull(hubName)
	p.holds(h, got, err)
	if second == nil || !strings.Contains(second.Error(), "another pull of this file is running") {
		t.Errorf("second pull: %v", second)
	}
}

// TestPullNoDowngrade: what began over https does not go on without.
func TestPullNoDowngrade(t *testing.T) {
	plain := newHub(t, 1<<10)
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	t.Cleanup(secure.Close)
	p := newPuller(t, plain)
	p.o.client, p.hub = secure.Client(), secure.URL
	if _, _, err := p.pull(hubName); err == nil || !strings.Contains(err.Error(), "from https to http") || len(plain.asked) > 0 {
		t.Errorf("%v", err)
	}
}

func TestLocate(t *testing.T) {
	for _, c := range []struct{ name, url, place string }{
		{"hf:a/b/c.gguf", "https://hub.test/a/b/resolve/main/c.gguf", "a/b/c.gguf"},
		{"hf:a/b-1.0/sub/c.Q4_K.gguf", "https://hub.test/a/b-1.0/resolve/main/sub/c.Q4_K.gguf", "a/b-1.0/sub/c.Q4_K.gguf"},
		{"hf:a/b@v1/c.GGUF", "https://hub.test/a/b/resolve/v1/c.GGUF", "a/b@v1/c.GGUF"},
		{"https://x.test:8443/d/m.gguf", "https://x.test:8443/d/m.gguf", "x.test_8443/d/m.gguf"},
		{"https://x.test/m.gguf?download=true#top", "https://x.test/m.gguf?download=true", "x.test/d0f2e21e/m.gguf"},
		{"http://[::1]:80/m.gguf", "http://[::1]:80/m.gguf", "ipv6_1_80/m.gguf"},
	} {
		at, place, err := locate(c.name, "https://hub.test")
		if err != nil || at.String() != c.url || !samePlace(place, c.place) {
			t.Errorf("%s: %v, %s, %v; want %s, %s", c.name, at, place, err, c.url, c.place)
		}
	}
	for _, name := range []string{
		"", "m.gguf", "hf:", "hf:a/b", "hf:a/c.gguf", "hf:a/b/c.bin", "hf:../b/c.gguf", "hf:a/../c.gguf", "hf:a/b/../../c.gguf",
		"hf:a/b/.c.gguf", "hf:a//c.gguf", "hf:a/b@/c.gguf", "hf:a/b@../c.gguf", "hf:a/b/c d.gguf", "hf:a/b/c?x.gguf", `hf:a\b/c/d.gguf`,
		"ftp://x/m.gguf", "file:///etc/passwd", "https:///m.gguf", "https://u:p@x/m.gguf", "https://x", "https://x/", "https://x/a/../../m.gguf",
		"https://x/%2e%2e/m.gguf", "https://x/a%2f..%2fm.gguf", "https://x/-m.gguf", "https://x/" + strings.Repeat("m", 201),
	} {
		if at, place, err := locate(name, "https://hub.test"); err == nil {
			t.Errorf("%q goes to %v, %s", name, at, place)
		}
	}
}

// samePlace compares places but for a hash of eight digits.
func samePlace(got, want string) bool {
	a, b := strings.Split(got, "/"), strings.Split(want, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		hash := len(a) == 3 && i == 1 && len(a[i]) == 8 && len(b[i]) == 8
		if a[i] != b[i] && !hash {
			return false
		}
	}
	return true
}

func TestProgressBar(t *testing.T) {
	var b bytes.Buffer
	bar := &progressBar{out: &b, name: "m", rewrite: true}
	for _, n := range []int64{1, 2, 500, 1000} {
		bar.show(n*1e6, 1000e6)
	}
	want := "\rtargon: m 1.0 MB of 1000.0 MB, 0% [....................]" +
		"\rtargon: m 500.0 MB of 1000.0 MB, 50% [##########..........]" +
		"\rtargon: m 1000.0 MB of 1000.0 MB, 100% [####################]\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	b.Reset()
	bar = &progressBar{out: &b, name: "m"}
	for n := int64(0); n <= 40; n += 5 {
		bar.show(n<<20, -1)
	}
	if got := strings.Count(b.String(), "\n"); got != 3 {
		t.Errorf("%d lines for 40 MiB of unknown size: %q", got, b.String())
	}
}
