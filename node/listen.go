// Package node builds roles from their configurations with the adapters that they
// need: the only place where roles and adapters meet.
//
// It holds no logic of the network's own. Whatever is decided about provers lies
// in the roles and steps; a network in one process is package localnet's.
package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Listen opens a TCP address and, when it cannot, says what to do about it.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use by another program: stop it, or choose another address", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("address %s needs rights that this user lacks: choose a port above 1023", address)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// Serve answers on l until ctx ends, then lets answers under way finish for at
// most grace.
func Serve(ctx context.Context, l net.Listener, h http.Handler, grace time.Duration) error {
	return serveOn(ctx, l, &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}, grace)
}

// bodyTime is how long a body may take to come where nobody reads it: a server looks at what
// is left of one when it has answered.
const bodyTime = 15 * time.Second

// bounded gives bodies a deadline. Who reads one sets his own, and takes it away when it
// is there: an answer may take longer.
func bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // one that cannot has no connection
		}
		h.ServeHTTP(w, r)
	})
}

func serveOn(ctx context.Context, l net.Listener, s *http.Server, grace time.Duration) error {
	s.Handler = bounded(s.Handler)
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.Shutdown(ending); err != nil {
		_ = s.Close() // what is left has had its time
	}
	<-failed //nolint:errcheck // it was shut down and says so
	return nil
}
