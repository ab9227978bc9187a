package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestChainDev starts the development chain, asks it over HTTP and interrupts it.
func TestChainDev(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		f := chainDevFlags{listen: "127.0.0.1:0", tempo: 5, netuid: 4}
		done <- f.run(ctx, w)
		_ = w.Close()
	}()
	line := make([]byte, 256)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err, <-done)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(string(line[:n]), "development chain on ws://"), ",")
	ask := func(body string) string {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if got := ask(`{"jsonrpc":"2.0","id":7,"method":"system_chain","params":[]}`); got != `{"jsonrpc":"2.0","id":7,"result":"Targon development"}` {
		t.Error(got)
	}
	var batch []struct {
		ID     int
		Result any
		Error  *struct{ Code int }
	}
	raw := ask(`[{"id":1,"method":"chain_getBlockHash","params":[0]},{"id":2,"method":"nothing"},{"id":3,"method":"chain_subscribeNewHeads","params":[]}]`)
	if err := json.Unmarshal([]byte(raw), &batch); err != nil || len(batch) != 3 || batch[0].Error != nil || batch[1].Error.Code != -32601 || batch[2].Error == nil {
		t.Errorf("%s (%v)", raw, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestChainDevRefuses(t *testing.T) {
	for name, f := range map[string]chainDevFlags{
		"--netuid":       {tempo: 1},
		"--tempo":        {netuid: 4},
		"--block-time":   {netuid: 4, tempo: 1, blockTime: -1},
		"--liquid-alpha": {netuid: 4, tempo: 1, liquidAlpha: true},
	} {
		if _, err := f.config(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
