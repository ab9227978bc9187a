package localnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"targon/model/corpus"
)

// user chats through the gateway, as any client of the OpenAI protocol would.
type user struct {
	http  *http.Client
	base  string
	key   string
	model string
	rng   *rand.Rand
	// due reports whether the user's share of all requests has fallen behind.
	due func() bool
}

// usersShare is one in so many requests.
const usersShare = 5

// run chats until ctx ends. What goes wrong is the gateway's to count.
func (u *user) run(ctx context.Context) {
	defer u.http.CloseIdleConnections()
	for ctx.Err() == nil {
		if u.due() && u.chat(ctx) == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (u *user) chat(ctx context.Context) error {
	body, err := json.Marshal(map[string]any{
		"model": u.model, "stream": true, "temperature": 1, "max_tokens": leastChat + u.rng.IntN(mostChat-leastChat+1),
		"messages": []map[string]string{{"role": "user", "content": corpus.Question(u.rng)}},
	})
	if err != nil {
		return fmt.Errorf("encode chat: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.base+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make chat request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+u.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := u.http.Do(req)
	if err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)); err != nil {
		return fmt.Errorf("read chat: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("chat: gateway answered %s", res.Status)
	}
	return nil
}

// A chat asks for as many ids as a challenge does.
const (
	leastChat = 64
	mostChat  = 96
)
