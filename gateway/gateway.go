// Package gateway is the door for users: OpenAI's chat and completion endpoints,
// answered by provers whose answers are verified.
//
// It checks keys and limits, turns a body into token ids, picks a prover by score,
// streams, and fails over as long as the user has seen nothing. It decides nothing
// about honesty: every exchange, the failed ones too, goes to the [Desk], where the
// verifier draws and judges. It does not listen, hold TLS certificates, or bill.
//
// Invariants. A user's text is decoded here, from the ids that the prover is
// committed to; the prover's own text is never shown, and a receipt is passed on
// only if it is signed and covers the answer. A user's request reaches the
// prover in the same shape as a challenge, without any header of the user's. After
// the first byte of an answer there is no second prover. Keys are held as SHA-256
// only, and neither keys nor prompts reach a log.
//
// Before it: wire/ask. After it: the verifier behind [Desk].
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"targon"
)

// ErrNoTemplate is what a [Codec] returns from Render when its model has no chat
// template. The gateway then prompts by plain completion.
var ErrNoTemplate = errors.New("model has no chat template")

// What a [Desk] may say.
var (
	// ErrUnavailable says that nothing can be addressed at this time: the verifier is
	// away, or has no epoch open. The user is told to come again.
	ErrUnavailable = errors.New("the verifier cannot take requests now")
	// ErrNeuron says that this prover does not serve any more. Another is tried.
	ErrNeuron = errors.New("the prover does not serve any more")
)

// Asker sends one addressed request and returns when the exchange is over. It
// calls each for every id as it arrives, one call at a time and none after it has
// returned, and stops when each fails or ctx ends. How long each takes does not
// count against the prover, and how patient to be with one is for the Asker to
// say: by its own clock, the same for users and challenges. An error is a fault of
// ours; what the prover did is the exchange's Status.
type Asker interface {
	Ask(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error)
}

// Desk is the verifier's side of an organic request. Address gives a draft its id,
// seed and salt for one prover. Record takes each finished exchange, exactly once, and
// returns when it is durable, or when the Desk has taken it on to make it so.
type Desk interface {
	Address(ctx context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error)
	Record(ctx context.Context, x targon.Exchange, optedOut bool) error
}

// Book says who serves and how good they are. Both methods are called for each
// request, from many goroutines, and return slices that nobody changes. Scores is
// empty until there has been an epoch.
type Book interface {
	Provers() []targon.Neuron
	Scores() []targon.Score
}

// Codec is the model's tokenizer and chat template.
type Codec interface {
	// Render returns the ids of a conversation up to where the model speaks, or
	// ErrNoTemplate.
	Render(conversation []Message) ([]targon.TokenID, error)
	// Encode returns the ids of plain text; control tokens in it are only text.
	Encode(text string, bos bool) []targon.TokenID
	// Decoder starts decoding one answer.
	Decoder() Decoder
}

// Decoder turns ids into text as they come. Add returns only whole characters, and
// nothing for control ids; Flush returns what is left at the end.
type Decoder interface {
	Add(id targon.TokenID) string
	Flush() string
}

// Message is one turn of a conversation.
type Message struct {
	Role    string // system, user or assistant
	Content string
}

// Config is all that a gateway needs. Model, Codec, Asker, Desk and Book are
// required; zero means the default for the rest.
type Config struct {
	Model   string // the name that users ask for
	Context int    // how many ids prompt and answer may have together
	Longest int    // how many bytes of text one id may stand for; 0: not known
	Codec   Codec
	Asker   Asker
	Desk    Desk
	Book    Book
	Shelf   Shelf // of bundles for users; nil: they get none
	Keys    []Key // who may come in; without keys, nobody

	MaxTokens uint32         // of one answer; 4096
	Attempts  int            // provers tried for one request; 3
	Timeout   time.Duration  // of one request as a whole, all provers together; 10 min
	Breaker   Breaker        // when to leave a prover alone
	Random    func() float64 // uniform in [0,1), for many goroutines; math/rand/v2
	Log       *slog.Logger   // nowhere
}

// Stats counts requests since the start, for status pages.
type Stats struct {
	Requests uint64 `json:"requests"` // accepted: key, limits and body were in order
	Answered uint64 `json:"answered"` // to the last byte
	Failed   uint64 `json:"failed"`   // the user got an error, or half an answer
	Aborted  uint64 `json:"aborted"`  // the user went away
}

// Gateway serves users. Its fields are set by New; counters are atomic, and what
// changes lies behind the locks of door and router.
type Gateway struct {
	c      Config
	door   *door
	router *router
	first  histogram           // times to the first id
	bodies *semaphore.Weighted // bytes of bodies that are being read, see turn
	stats  struct{ requests, answered, failed, aborted atomic.Uint64 }
}

const (
	defaultTokens  = 256  // answer ids when the user names no number
	defaultContext = 4096 // ids, when the configuration names no number
)

// New builds a gateway. It starts nothing.
func New(c Config) *Gateway {
	if c.Context <= 0 {
		c.Context = defaultContext
	}
	if c.MaxTokens == 0 || c.MaxTokens > targon.MaxOutputTokens {
		c.MaxTokens = 4096
	}
	if c.Attempts <= 0 {
		c.Attempts = 3
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Minute
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Gateway{c: c, door: newDoor(c.Keys), router: newRouter(c.Book, c.Breaker, c.Random), bodies: semaphore.NewWeighted(maxBody)}
}

// Stats returns the counters.
func (g *Gateway) Stats() Stats {
	return Stats{
		Requests: g.stats.requests.Load(),
		Answered: g.stats.answered.Load(),
		Failed:   g.stats.failed.Load(),
		Aborted:  g.stats.aborted.Load(),
	}
}

// Handler returns the routes. Who listens must set ReadHeaderTimeout.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, path string
		h            http.HandlerFunc
	}{
		{http.MethodPost, "/v1/chat/completions", g.behindDoor(g.complete(chatShape, parseChat))},
		{http.MethodPost, "/v1/completions", g.behindDoor(g.complete(textShape, parseText))},
		{http.MethodGet, "/v1/models", g.behindDoor(g.models)},
		{http.MethodGet, "/v1/models/{model...}", g.behindDoor(g.oneModel)},
		{http.MethodGet, "/v1/receipts/{id}", g.behindDoor(g.receipt)},
		{http.MethodGet, "/healthz", g.health},
	} {
		mux.HandleFunc(route.method+" "+route.path, route.h)
		mux.HandleFunc(route.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", route.method)
			writeError(w, errMethod)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeError(w, errRoute) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Connections are used again: without this, a deadline of the request before
		// would cut this one. Streams set a nearer one for each write.
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Now().Add(g.c.Timeout + writeTime))
		if r.ContentLength != 0 {
			// For all, also who is refused before his body is read: the server reads it
			// then, and would wait for ever. readBody takes this away.
			_ = rc.SetReadDeadline(time.Now().Add(bodyTime))
		}
		mux.ServeHTTP(w, r)
	})
}

// behindDoor lets a request in when its key is known and within its limits. The
// place in the key's concurrency is given back when the handler returns, which is
// after the answer's last byte.
func (g *Gateway) behindDoor(next func(http.ResponseWriter, *http.Request, *pass)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		p, err := g.door.enter(r.Header.Get("Authorization"), now)
		if p != nil {
			p.allowance(w.Header(), now)
		}
		if err != nil {
			writeError(w, err)
			return
		}
		defer p.leave()
		next(w, r, p)
	}
}

func (g *Gateway) models(w http.ResponseWriter, _ *http.Request, _ *pass) {
	writeJSON(w, http.StatusOK, modelList{Object: "list", Data: []modelEntry{g.served()}})
}

func (g *Gateway) served() modelEntry {
	return modelEntry{ID: g.c.Model, Object: "model", OwnedBy: "targon"}
}

// oneModel answers what clients ask who look a model up by its name.
func (g *Gateway) oneModel(w http.ResponseWriter, r *http.Request, _ *pass) {
	switch name := r.PathValue("model"); name {
	case g.c.Model:
	case "":
		writeError(w, errRoute)
		return
	default:
		writeError(w, g.noModel(name))
		return
	}
	writeJSON(w, http.StatusOK, g.served())
}

// noModel says what is served instead.
func (g *Gateway) noModel(name string) error {
	const most = 64 // of a name that may be anything
	return &fieldError{"model", fmt.Sprintf("%.*q is not served here, only %q is", most, name, g.c.Model), errModel}
}

// health says that the process serves, and how many provers it would use now.
func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, healthReport{Status: "ok", Provers: len(g.router.candidates(nil, time.Now()))})
}

type healthReport struct {
	Status  string `json:"status"`
	Provers int    `json:"provers"`
}

type modelList struct {
	Object string       `json:"object"`
	Data   []modelEntry `json:"data"`
}

type modelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("internal error: marshal response: " + err.Error()) // our own types always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a user who has gone is noticed by the context
}
