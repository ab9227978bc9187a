package node

import (
	"log/slog"
	"net/http"

	"targon/engine/native"
	"targon/gateway"
	"targon/verifier"
	"targon/wire/ask"
)

// GatewayConfig says for which verifier a gateway serves, and to whom.
type GatewayConfig struct {
	Model    *native.Model
	Verifier *verifier.Verifier
	Asker    *ask.Client
	Shelf    gateway.Shelf // of bundles for users; nil: they get none
	Keys     []gateway.Key
	Log      *slog.Logger
}

// metrics answers with a gateway's counters.
func metrics(g *gateway.Gateway) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = g.WriteMetrics(w) // the asker may be gone
	}
}

// NewGateway builds a gateway in its verifier's process.
func NewGateway(c GatewayConfig) *gateway.Gateway {
	return gateway.New(gateway.Config{
		Model: c.Model.Name(), Context: c.Model.Context(), Longest: longest(c.Model), Codec: Codec(c.Model),
		Asker: c.Asker, Desk: ownDesk{c.Verifier}, Book: c.Verifier, Shelf: c.Shelf, Keys: c.Keys, Log: c.Log,
	})
}
