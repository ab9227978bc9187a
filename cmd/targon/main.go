// Command targon runs every part of the network: one binary, one subcommand for
// each role or tool.
//
// Results go to standard output; everything else goes to standard error with the
// prefix "targon:". An error is one line that says what to do, and an exit status
// other than 0; status.go has them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	started := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks to end; by the second somebody insists, whatever we wait for
	// (opening a pipe that nobody writes to cannot be interrupted).
	defer context.AfterFunc(ctx, stop)()
	root := newRoot(started)
	began := false
	onBegin(root, func() { began = true })
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "targon: "+oneLine(err))
		return exitStatus(err, began)
	}
	return exitOK
}

// onBegin calls begun when a command's own function is about to run: cobra looks for
// flags that are required, or exclude each other, after its PreRun hooks.
func onBegin(cmd *cobra.Command, begun func()) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			begun()
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		onBegin(sub, begun)
	}
}

// oneLine keeps an error to one line, so that scripts and logs can rely on it.
func oneLine(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

func newRoot(started time.Time) *cobra.Command {
	root := &cobra.Command{
		Use:           "targon",
		Short:         "verified language-model inference: provers, verifiers, a gateway, and a chain that pays",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newUpCommand(started), newProverCommand(), newVerifierCommand(), newGatewayCommand(), newEngineCommand(builtinModel), newBenchCommand(), newCalibrateCommand(), newCheckCommand(builtinModel), newWalletCommand(), newChainCommand(), newModelCommand(), newVersionCommand())
	return root
}
