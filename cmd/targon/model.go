package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"targon/engine/native/gguf"
	"targon/engine/native/mapped"
)

// modelOutside is what the model commands need besides files, so that tests can be the
// network and need not wait.
type modelOutside struct {
	client   *http.Client
	lookup   func(name string) (string, bool) // environment
	cache    func() (string, error)           // the user's folder for what can be fetched again
	wait     func(ctx context.Context, attempt int) error
	idle     time.Duration // a connection that is silent for longer is broken
	terminal func(io.Writer) bool
}

// newModelCommand returns the tools for model files.
func newModelCommand() *cobra.Command {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	return newModelCommandWith(modelOutside{
		client: &http.Client{Transport: transport}, lookup: os.LookupEnv, cache: os.UserCacheDir,
		wait: waitLonger, idle: time.Minute, terminal: isTerminal,
	})
}

func newModelCommandWith(o modelOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "look into model files, store them in fewer bits, fetch them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelInspectCommand(), newModelQuantizeCommand(), newModelPullCommand(o))
	return cmd
}

// waitLonger waits 1, 2, 4 … seconds.
func waitLonger(ctx context.Context, attempt int) error {
	t := time.NewTimer(time.Second << (attempt - 1))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// withModelFile maps a model file and calls f with its bytes and what they say.
func withModelFile(path string, f func(data []byte, file *gguf.File) error) error {
	source, err := mapped.Open(path)
	if err != nil {
		return fmt.Errorf("open model: %w", err)
	}
	file, err := gguf.Parse(source.Data())
	if err != nil {
		return fmt.Errorf("open model %s: %w", path, errors.Join(err, source.Close()))
	}
	return errors.Join(f(source.Data(), file), source.Close())
}
