package node_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/gateway"
	"targon/model"
	"targon/node"
)

func TestListenSaysWhatToDo(t *testing.T) {
	l, err := node.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for address, want := range map[string]string{
		l.Addr().String():    "is in use by another program",
		"127.0.0.1:no-port":  "listen on 127.0.0.1:no-port",
		"nobody.invalid:808": "listen on nobody.invalid:808",
	} {
		if _, err := node.Listen(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Listen(%q): %v, want %q", address, err, want)
		}
	}
}

// TestServeDrains: an answer under way is finished when the server is told to end.
func TestServeDrains(t *testing.T) {
	l, err := node.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	begun, served := make(chan struct{}), make(chan error, 1)
	go func() {
		served <- node.Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-ctx.Done()
			fmt.Fprint(w, "whole")
		}), 5*time.Second)
	}()
	go func() { <-begun; stop() }()
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "whole" {
		t.Errorf("answer is %q, %v", body, err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve returns %v", err)
	}
}

// TestOpenings: a challenge is open-ended, fits the model, and is the source's own.
func TestOpenings(t *testing.T) {
	builtin, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	shape := enginetest.Tiny()
	shape.Context = 128 // less than an opening and its answer in bytes
	data, err := enginetest.RandomModel(shape)
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*native.Model{builtin, narrow} {
		draw := node.Openings(m)
		seen := map[string]bool{}
		for i := range uint64(50) {
			d, again := draw(rand.New(rand.NewPCG(i, 1))), draw(rand.New(rand.NewPCG(i, 1)))
			if d.Temperature != 1 || d.MaxTokens < 64 || len(d.Prompt) == 0 || len(d.Prompt)+int(d.MaxTokens) > m.Context() {
				t.Errorf("%s: %d ids asked after %d at temperature %v, context %d", m.Name(), d.MaxTokens, len(d.Prompt), d.Temperature, m.Context())
			}
			if fmt.Sprint(d) != fmt.Sprint(again) {
				t.Errorf("%s: one source gives %v and %v", m.Name(), d, again)
			}
			seen[fmt.Sprint(d.Prompt)] = true
		}
		if len(seen) < 49 {
			t.Errorf("%s: 50 sources give %d prompts", m.Name(), len(seen))
		}
	}
}

// TestCodec: the gateway reads and writes text by the model's own tokenizer, and is
// told when there is no chat template.
func TestCodec(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	c := node.Codec(m)
	ids := c.Encode("Roshaven lies by the sea.", false)
	d := c.Decoder()
	text := ""
	for _, id := range ids {
		text += d.Add(id)
	}
	if text += d.Flush(); strings.TrimSpace(text) != "Roshaven lies by the sea." {
		t.Errorf("text comes back as %q", text)
	}
	if ids, err := c.Render([]gateway.Message{{Role: "user", Content: "Tell me a story."}}); err != nil || len(ids) < 5 {
		t.Errorf("render gives %v, %v", ids, err)
	}
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.Codec(plain).Render([]gateway.Message{{Role: "user", Content: "hi"}}); !errors.Is(err, gateway.ErrNoTemplate) {
		t.Errorf("without a template: %v", err)
	}
}
