package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"targon"
	"targon/gateway"
)

// shelf says of every request the same, and notes which it was asked for.
type shelf struct {
	fate  targon.Fate
	file  string
	err   error
	asked []targon.Digest
}

func (s *shelf) Bundle(_ context.Context, request targon.Digest) (targon.Fate, []byte, error) {
	s.asked = append(s.asked, request)
	return s.fate, []byte(s.file), s.err
}

// withShelf is a gateway with a shelf.
func withShelf(f *net, s gateway.Shelf) http.Handler {
	c := f.config()
	c.Shelf = s
	return gateway.New(c).Handler()
}

func fetch(h http.Handler, id, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/v1/receipts/"+id, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	return serve(h, r)
}

// TestReceipts: whoever was given an answer fetches its bundle, by the receipt's name and
// by the answer's; to any other key it does not exist.
func TestReceipts(t *testing.T) {
	f, s := newNet(script{text: "ok"}), &shelf{fate: targon.FateReady, file: `{"format":"targon/bundle/v1"}`}
	h := withShelf(f, s)
	for _, body := range []string{chat + `}`, streamed} {
		if w := serve(h, post("/v1/chat/completions", body)); w.Code != 200 {
			t.Fatal(w.Body)
		}
		x := f.records[len(f.records)-1].Transcript
		receipt, answer := x.Receipt.Digest().String(), "chatcmpl-"+x.Request.ID.String()
		for _, id := range []string{receipt, answer} {
			w := fetch(h, id, goodKey)
			if w.Code != 200 || w.Body.String() != s.file || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v %s", id, w.Code, w.Header(), w.Body)
			}
			if s.asked[len(s.asked)-1] != x.Request.Digest() {
				t.Errorf("%s: another request is asked for", id)
			}
			asked := len(s.asked)
			if w := fetch(h, id, "sk-other"); w.Code != 404 || code(t, w) != "receipt_not_found" || len(s.asked) != asked {
				t.Errorf("another key: %d %s", w.Code, w.Body)
			}
			if w := fetch(h, id, "none"); w.Code != 401 {
				t.Errorf("no key: %d %s", w.Code, w.Body)
			}
		}
	}
	for _, id := range []string{"x", strings.Repeat("0", 64), "chatcmpl-"} {
		if w := fetch(h, id, goodKey); w.Code != 404 || code(t, w) != "receipt_not_found" {
			t.Errorf("%q: %d %s", id, w.Code, w.Body)
		}
	}
	if w := serve(h, post("/v1/receipts/x", "{}")); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// code is the error code of an answer.
func code(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var v struct{ Error struct{ Code string } }
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return v.Error.Code
}

// TestReceiptFates: what stands in the way of a bundle is said, and when to come again
// where that helps.
func TestReceiptFates(t *testing.T) {
	for _, c := range []struct {
		fate  targon.Fate
		err   error
		code  int
		name  string
		again string
	}{
		{targon.FateUnknown, nil, 404, "receipt_not_found", ""},
		{targon.FateWaiting, nil, 409, "receipt_not_judged", "5"},
		{targon.FateJudged, nil, 409, "receipt_epoch_open", "30"},
		{targon.FateNotDrawn, nil, 404, "receipt_not_drawn", ""},
		{targon.FateOptedOut, nil, 404, "receipt_opted_out", ""},
		{targon.FateUndecided, nil, 404, "receipt_undecided", ""},
		{targon.FateGone, nil, 404, "receipt_not_kept", ""},
		{0, fmt.Errorf("dial 10.0.0.1: %w", gateway.ErrUnavailable), 503, "verifier_unavailable", "5"},
		{0, errors.New("dial 10.0.0.1: secret"), 500, "", ""},
	} {
		t.Run(c.fate.String(), func(t *testing.T) {
			f, s := newNet(script{text: "ok"}), &shelf{fate: c.fate, err: c.err}
			h := withShelf(f, s)
			serve(h, post("/v1/chat/completions", chat+`}`))
			w := fetch(h, f.records[0].Transcript.Receipt.Digest().String(), goodKey)
			if w.Code != c.code || code(t, w) != c.name || w.Header().Get("Retry-After") != c.again || strings.Contains(w.Body.String(), "10.0.0.1") {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
}

// TestNoShelf: a gateway that no bundles can be had from knows no receipts.
func TestNoShelf(t *testing.T) {
	f := newNet(script{text: "ok"})
	h := f.handler()
	serve(h, post("/v1/chat/completions", chat+`}`))
	if w := fetch(h, f.records[0].Transcript.Receipt.Digest().String(), goodKey); w.Code != 404 || code(t, w) != "receipt_not_found" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestOneModel: clients look a model up by its name.
func TestOneModel(t *testing.T) {
	h := newNet().handler()
	get := func(name string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/v1/models/"+name, nil)
		r.Header.Set("Authorization", "Bearer "+goodKey)
		return serve(h, r)
	}
	if w := get("tiny"); w.Code != 200 || !strings.Contains(w.Body.String(), `"id":"tiny","object":"model"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get("other"); w.Code != 404 || code(t, w) != "model_not_found" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
