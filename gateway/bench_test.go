package gateway_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"targon"
	"targon/gateway"
)

// BenchmarkChat measures the gateway's own work: a body in, ids decoded, an answer
// out, the network left out, making and checking the receipt included. The bars are
// 350 µs a request and 20 µs a streamed chunk.
func BenchmarkChat(b *testing.B) {
	f := newNet(script{text: strings.Repeat("a", 256)})
	c := f.config()
	c.Asker, c.Desk = instant(ids(strings.Repeat("a", 256))), discard{f}
	h := gateway.New(c).Handler()
	for name, body := range map[string]string{"whole": chat + `}`, "stream": streamed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, post("/v1/chat/completions", body))
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/256, "µs/id")
		})
	}
}

// instant answers at once with the same ids.
func instant(answer []targon.TokenID) askerFunc {
	k := key(1)
	return func(_ context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
		for _, id := range answer {
			if err := each(targon.Token{ID: id}); err != nil {
				return targon.Exchange{}, err
			}
		}
		return targon.Exchange{UID: n.UID, Status: targon.StatusComplete, Transcript: targon.Transcript{
			Request: r, Tokens: answer, Receipt: signed(k, r, answer),
		}}, nil
	}
}

// discard addresses like net and keeps no records.
type discard struct{ net *net }

func (d discard) Address(_ context.Context, dr targon.Draft, n targon.Neuron) (targon.Request, error) {
	return targon.Request{Prover: n.Hotkey, Model: dr.Model, Prompt: dr.Prompt, MaxTokens: dr.MaxTokens}, nil
}

func (discard) Record(context.Context, targon.Exchange, bool) error { return nil }
