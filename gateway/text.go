package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// integral reads an integer that is written as 16.0 or 1e3: to JSON they are the same
// numbers. What is beyond 64 bits is the largest there is.
func integral(raw json.RawMessage, dst any) bool {
	n, ok := dst.(*int64)
	v, err := strconv.ParseFloat(string(raw), 64)
	if !ok || err != nil || v != math.Trunc(v) {
		return false
	}
	switch {
	case v >= math.MaxInt64:
		*n = math.MaxInt64
	case v <= math.MinInt64:
		*n = math.MinInt64
	default:
		*n = int64(v)
	}
	return true
}

// wanted names what JSON a Go value is read from.
func wanted(dst any) string {
	switch dst.(type) {
	case *bool:
		return "true or false"
	case *string:
		return "a string"
	case *int64:
		return "an integer"
	case *float64:
		return "a number"
	}
	return "an object"
}

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
