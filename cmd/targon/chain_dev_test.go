package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"targon"
	"targon/node"
)

// startDev runs the development chain until the test ends, and returns its address.
func startDev(t testing.TB, f chainDevFlags) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- f.run(ctx, w)
		_ = w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	line := make([]byte, 256)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(string(line[:n]), "development chain on ws://"), ",")
	return address
}

// TestChainDev starts the development chain, asks it over HTTP and interrupts it.
func TestChainDev(t *testing.T) {
	address := startDev(t, chainDevFlags{listen: "127.0.0.1:0", tempo: 5, netuid: 4})
	ask := func(body string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, bytes.NewBufferString(body))
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

// BenchmarkChainDev is the pace of --block-time 0 as a client over the socket sees it:
// 1,000 empty blocks, from the head of one answer to that of another.
func BenchmarkChainDev(b *testing.B) {
	address := startDev(b, chainDevFlags{listen: "127.0.0.1:0", tempo: 5, netuid: 4})
	conf := node.ChainConfig{Endpoint: "ws://" + address}
	client, err := conf.Connect()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	head := func() targon.Header {
		h, err := client.Finalised(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		return h
	}
	blocks := targon.Block(0)
	for b.Loop() {
		from := head().Number
		for h, err := range client.Heads(b.Context(), targon.Header{}) {
			if err != nil {
				b.Fatal(err)
			}
			if h.Number >= from+1000 {
				break
			}
		}
		blocks += head().Number - from
	}
	b.ReportMetric(float64(blocks)/b.Elapsed().Seconds(), "blocks/s")
}
