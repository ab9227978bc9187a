// Package serve puts an engine behind the HTTP interface of vLLM's OpenAI-compatible
// server, so that the engine can stand in for a stock one: completions and chat, with
// seed, prompt_logprobs, return_token_ids and the answer's log-probabilities, and the
// tokenizer by itself.
//
// It signs nothing, knows no keys and decides nothing about who may ask: whoever lets
// strangers in puts a door before it. A field that would change the answer and is not
// honoured is refused by name, so that a client never gets less than it asked for unawares.
//
// Invariant: what is answered can be checked from outside. The ids under a seed are the
// winners of logprob + temperature · noise (package noise), among those that top_k,
// top_p and min_p allow ([targon.Sampling]), over the log-probabilities that the server
// reports for the same ids as a prompt, which are those of the model at temperature 1,
// whatever the request's temperature, penalties and biases (vLLM's raw_logprobs).
//
// Names of routes, fields and defaults are vLLM's (its entrypoints and sampling_params,
// read in November 2026).
package serve

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"targon"
	"targon/engine/native"
)

// Engine is what is served. *native.Engine is one.
type Engine interface {
	Tuned(ctx context.Context, r targon.Request, t native.Tuning, top int) iter.Seq2[native.Drawn, error]
	Score(ctx context.Context, r targon.Request, ids []targon.TokenID, need targon.Need) (targon.Scores, error)
}

// Config of a server. Model and Engine are required.
type Config struct {
	Model  *native.Model
	Engine Engine // runs Model
	// Name is what the model is called; empty: what its file calls it.
	Name string
	// MaxLogprobs is how many log-probabilities a position may be asked for besides its
	// own, -1 any number. vLLM's default is 20.
	MaxLogprobs int
	// MaxRequests is how many requests are answered or wait for the engine at a time;
	// more are refused with 503. 0 is 128. Answers of one request are computed together
	// as long as that leaves half of these places to other requests.
	MaxRequests int
	Log         *slog.Logger     // of failures that are not the client's; nil: none
	Now         func() time.Time // nil: the clock
	Random      func() uint64    // seeds of requests that have none, and names; nil: crypto/rand
}

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	Config
	started time.Time
	places  chan struct{}
	// texts are the bytes of text that are being encoded. Encoding takes up to 160 times
	// the memory of the text, so that as many texts as there are places would fill it.
	texts   *semaphore.Weighted
	longest int // bytes that one id may stand for
}

// New returns a server.
func New(c Config) *Server {
	if c.Name == "" {
		c.Name = c.Model.Name()
	}
	if c.MaxRequests <= 0 {
		c.MaxRequests = 128
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = random
	}
	s := &Server{Config: c, started: c.Now(), places: make(chan struct{}, c.MaxRequests), texts: semaphore.NewWeighted(maxBody)}
	for id := range c.Model.Vocab() {
		s.longest = max(s.longest, len(c.Model.Spelling(targon.TokenID(id))))
	}
	return s
}

func random() uint64 {
	var b [8]byte
	crand.Read(b[:]) // it never fails: it ends the program instead
	return binary.LittleEndian.Uint64(b[:])
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/health", s.route(http.MethodGet, s.health))
	mux.Handle("/v1/models", s.route(http.MethodGet, s.models))
	mux.Handle("/v1/models/{name...}", s.route(http.MethodGet, s.oneModel))
	mux.Handle("/v1/completions", s.route(http.MethodPost, s.limited(s.complete(textShape, parseText))))
	mux.Handle("/v1/chat/completions", s.route(http.MethodPost, s.limited(s.complete(chatShape, parseChat))))
	mux.Handle("/tokenize", s.route(http.MethodPost, s.limited(s.tokenize)))
	mux.Handle("/detokenize", s.route(http.MethodPost, s.limited(s.detokenize)))
	mux.Handle("/", s.route("", func(http.ResponseWriter, *http.Request) error { return errRoute }))
	// There are no keys, so a page that a browser on this machine shows could otherwise
	// have us compute for it: no preflight protects what looks like a form.
	pages := http.NewCrossOriginProtection()
	pages.SetDenyHandler(s.route("", func(http.ResponseWriter, *http.Request) error { return errForeign }))
	return pages.Handler(mux)
}

// A handler returns what went wrong as long as nothing has been written.
type handler func(http.ResponseWriter, *http.Request) error

// route answers one method, and writes errors.
func (s *Server) route(method string, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.Method
		if asked == http.MethodHead {
			asked = http.MethodGet
		}
		if method != "" && asked != method {
			w.Header().Set("Allow", method)
			s.writeError(r.Context(), w, errMethod)
			return
		}
		if err := h(w, r); err != nil {
			s.writeError(r.Context(), w, err)
		}
	})
}

// limited refuses what is beyond MaxRequests: a client that is told to come back can
// go elsewhere, one that waits cannot. A body takes a place when it is there, or most of
// what a body may be without one.
func (s *Server) limited(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := begun(w, r); err != nil {
			return err
		}
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
			return h(w, r)
		default:
			return errBusy
		}
	}
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

type modelList struct {
	Object string      `json:"object"`
	Data   []modelCard `json:"data"`
}

type modelCard struct {
	ID      string  `json:"id"`
	Object  string  `json:"object"`
	Created int64   `json:"created"`
	OwnedBy string  `json:"owned_by"`
	Root    string  `json:"root"`
	Parent  *string `json:"parent"`
	Length  int     `json:"max_model_len"`
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, modelList{"list", []modelCard{s.card()}})
	return nil
}

// oneModel answers OpenAI's "retrieve a model".
func (s *Server) oneModel(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if name == "" {
		return errRoute
	}
	if err := s.known(name); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.card())
	return nil
}

func (s *Server) card() modelCard {
	return modelCard{
		ID: s.Name, Object: "model", Created: s.started.Unix(), OwnedBy: "targon", Root: s.Model.Name(), Length: s.Model.Context(),
	}
}
