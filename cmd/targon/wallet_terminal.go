package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

var errNoTerminal = errors.New("no terminal to ask for a secret at: pass it in a file of mode 0600, see --help")

// typeSecret asks on standard error and reads a line from the terminal without
// echo. An interrupt gives the echo back.
func typeSecret(ctx context.Context, prompt string) ([]byte, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return nil, errNoTerminal
	}
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("read terminal: %w", err)
	}
	fmt.Fprint(os.Stderr, prompt)
	defer fmt.Fprintln(os.Stderr)
	type typed struct {
		line []byte
		err  error
	}
	done := make(chan typed, 1)
	go func() { // outlives an interrupt, as a read of the terminal cannot be stopped
		line, err := term.ReadPassword(fd)
		done <- typed{line, err}
	}()
	select {
	case t := <-done:
		if t.err != nil {
			return nil, fmt.Errorf("read terminal: %w", t.err)
		}
		return t.line, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
