package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// shortText is a size of bodies that wait for none that are longer.
	shortText = 16 << 10
	// encodeTime is how long a body may wait for others.
	encodeTime = 15 * time.Second
)

// turn waits until no more than one body's worth of bodies is being taken apart and
// encoded: fields take up to 100 times the memory of the body, ids up to 160 times that of
// the text (own measurements). The caller calls done afterwards.
func (g *Gateway) turn(ctx context.Context, raw []byte) (done func(), err error) {
	if len(raw) <= shortText {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, encodeTime, errCrowded)
	defer cancel()
	weight := int64(len(raw))
	if g.bodies.Acquire(ctx, weight) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { g.bodies.Release(weight) }, nil
}

// sized refuses a text that cannot fit the context, before it costs anything.
func (g *Gateway) sized(o order, number int) error {
	least := 0
	if len(o.prompts) > 0 {
		least = len(o.prompts[number])
	}
	for _, m := range o.messages {
		if m.Role != roleAssistant { // of whose turns templates leave out reasoning
			least += len(strings.TrimSpace(m.Content))
		}
	}
	if g.c.Longest > 0 && least/g.c.Longest >= g.c.Context {
		return fmt.Errorf("%w: %d bytes of text are more than %d tokens", errContext, least, g.c.Context-1)
	}
	return nil
}
