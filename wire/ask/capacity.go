package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"targon"
	"targon/sign"
)

// ErrCapacity is returned for a statement of capacity that cannot be relied on.
var ErrCapacity = errors.New("unusable capacity")

const (
	capacityTime = 10 * time.Second
	capacitySize = 4 << 10
	// maxCapacityAge bounds how old a statement may be, and how far a prover's
	// clock may be ahead: an old one may promise less than is promised now.
	maxCapacityAge = 10 * time.Minute
)

// Capacity fetches what n says it serves, and checks that n said it, lately.
func (c *Client) Capacity(ctx context.Context, n targon.Neuron) (targon.Capacity, error) {
	v, err := c.capacity(ctx, n)
	if err != nil {
		return targon.Capacity{}, fmt.Errorf("capacity of uid %d: %w", n.UID, err)
	}
	return v, nil
}

func (c *Client) capacity(ctx context.Context, n targon.Neuron) (v targon.Capacity, err error) {
	if err := c.reachable(n); err != nil {
		return v, err
	}
	ctx, cancel := context.WithTimeout(ctx, capacityTime)
	defer cancel()
	req, err := request(ctx, n, http.MethodGet, CapacityPath) // what is public is asked for by nobody
	if err != nil {
		return v, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return v, fmt.Errorf("%w: http %d", ErrCapacity, resp.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, capacitySize))
	if err != nil {
		return v, fmt.Errorf("read body: %w", err)
	}
	if err := strict(raw, &v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrCapacity, err)
	}
	if err := v.Validate(); err != nil {
		return v, fmt.Errorf("%w: %w", ErrCapacity, err)
	}
	if v.Prover != n.Hotkey {
		return v, fmt.Errorf("%w: that of %s", ErrCapacity, v.Prover)
	}
	if age := c.config.Now().Sub(time.UnixMilli(v.Issued)); age > maxCapacityAge || age < -maxCapacityAge {
		return v, fmt.Errorf("%w: issued %v ago", ErrCapacity, age.Round(time.Second))
	}
	if err := sign.Verify(n.Hotkey, v.Message(), v.Signature); err != nil {
		return v, fmt.Errorf("%w: %w", ErrCapacity, err)
	}
	return v, nil
}
