// Package dashboard serves pages about a running network: a status page for
// people and the same numbers as JSON.
//
// It shows what a [Source] tells it and computes nothing: no verdict, score or
// weight is made here. Pages carry no script and load nothing from elsewhere.
package dashboard

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"targon"
)

// Source tells the state of the network. Snapshot must be quick and may be called
// at any time from any goroutine.
type Source interface {
	Snapshot(ctx context.Context) (View, error)
}

// View is everything that the status page shows.
type View struct {
	Title   string       `json:"title"`
	Model   string       `json:"model"`
	Block   targon.Block `json:"block"`
	Epoch   targon.Epoch `json:"epoch"`
	Gateway string       `json:"gateway"` // base URL for clients
	Provers []Row        `json:"provers"`
}

// Row is one prover. Standing is a word for people: honest, caught, failing, new.
type Row struct {
	UID             targon.UID    `json:"uid"`
	Hotkey          targon.Hotkey `json:"hotkey"`
	Label           string        `json:"label"`
	Standing        string        `json:"standing"`
	Requests        uint64        `json:"requests"`
	AuditedTokens   uint64        `json:"audited_tokens"`
	TokensPerSecond float64       `json:"tokens_per_second"`
	Passed          uint64        `json:"passed"`
	Failed          uint64        `json:"failed"`
	Undecided       uint64        `json:"undecided"`
	Reason          string        `json:"reason"`
	Score           float64       `json:"score"`
	Weight          uint16        `json:"weight"`
	Incentive       uint16        `json:"incentive"`
}

//go:embed status.html
var files embed.FS

// Config says where the numbers come from.
type Config struct {
	Source Source
	Log    *slog.Logger // nil: silent
}

// visitTime bounds how long one page takes to be asked for and delivered.
const visitTime = 15 * time.Second

// Handler serves GET / (HTML) and GET /status.json.
func Handler(c Config) (http.Handler, error) {
	page, err := template.ParseFS(files, "status.html")
	if err != nil {
		return nil, fmt.Errorf("parse status page: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.serve("text/html; charset=utf-8", func(w http.ResponseWriter, v View) error {
		return page.Execute(w, v)
	}))
	mux.HandleFunc("GET /status.json", c.serve("application/json", func(w http.ResponseWriter, v View) error {
		return json.NewEncoder(w).Encode(v)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Now().Add(visitTime))
		if r.ContentLength != 0 { // nobody reads it but the server, which would wait for ever
			_ = rc.SetReadDeadline(time.Now().Add(visitTime))
		}
		mux.ServeHTTP(w, r)
	}), nil
}

func (c Config) serve(kind string, render func(http.ResponseWriter, View) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := c.Source.Snapshot(r.Context())
		if err != nil {
			c.Log.WarnContext(r.Context(), "no snapshot for the status page", "err", err)
			http.Error(w, "the network's state cannot be read just now", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if err := render(w, v); err != nil {
			c.Log.DebugContext(r.Context(), "status page not delivered", "err", err)
		}
	}
}
