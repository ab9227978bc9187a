// Command soak runs the demonstration over many seeds and holds each result to
// what must always be true: every cheat ends convicted or without weight, no
// honest prover does. It knows the JSON that `targon up` prints and nothing else
// of the system, so that it also checks that shape from outside.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// result is the part of the last line of `targon up --json` that is checked.
type result struct {
	Epochs  int      `json:"epochs"`
	Model   string   `json:"model"`
	Provers []prover `json:"provers"`
	Gateway struct {
		Requests int `json:"requests"`
		Verified int `json:"verified"`
	} `json:"gateway"`
}

type prover struct {
	UID       int    `json:"uid"`
	Cheat     string `json:"cheat"`
	Convicted bool   `json:"convicted"`
	Reason    string `json:"reason"`
	Weight    int    `json:"weight"`
}

// trial is one run: its flags, and how many honest and cheating provers it has
// at least.
type trial struct {
	flags  []string
	same   bool // the cheat runs the network's own file: it is honest
	honest int
	cheats int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	first := f.Int("first", 1, "first seed")
	seeds := f.Int("seeds", 20, "how many seeds")
	epochs := f.Int("epochs", 3, "epochs of each run")
	root := f.String("root", ".", "root of the repository")
	limit := f.Duration("limit", 10*time.Minute, "limit of one run")
	keep := f.String("keep", "", "folder that keeps ledger, chain and output of runs with faults (default: none)")
	extra := f.Bool("extra", true, "also run without cheats, and with the network's own file as a cheat")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "targon-soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "targon")
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/targon")
	build.Dir, build.Stderr = *root, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build targon: %w", err)
	}
	var trials []trial
	for s := range *seeds {
		trials = append(trials, trial{flags: []string{"--seed", strconv.Itoa(*first + s)}, honest: 1, cheats: 1})
	}
	if *extra {
		more, err := extraTrials(*root, *first)
		if err != nil {
			return err
		}
		trials = append(trials, more...)
	}
	h := how{bin: bin, epochs: *epochs, limit: *limit, keep: *keep}
	return h.runTrials(ctx, trials, out)
}

// how every trial is run.
type how struct {
	bin    string
	epochs int
	limit  time.Duration
	keep   string // empty: what a run leaves behind is removed
}

func extraTrials(root string, seed int) ([]trial, error) {
	files, err := filepath.Glob(filepath.Join(root, "model", "*.gguf"))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("want one built-in model under model, found %d", len(files))
	}
	same, err := filepath.Abs(files[0])
	if err != nil {
		return nil, err
	}
	s := strconv.Itoa(seed)
	return []trial{
		{flags: []string{"--seed", s, "--cheats", "none", "--provers", "6"}, honest: 6},
		{flags: []string{"--seed", s, "--cheats", "model:" + same}, honest: 1, same: true},
	}, nil
}

func (h how) runTrials(ctx context.Context, trials []trial, out io.Writer) error {
	var bad []error
	for _, t := range trials {
		began := time.Now()
		faults, kept, err := h.run(ctx, t)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		word := "ok"
		if len(faults) > 0 {
			word = "FAIL"
		}
		fmt.Fprintf(out, "%-4s %5.1fs  up %s\n", word, time.Since(began).Seconds(), strings.Join(t.flags, " "))
		for _, fault := range faults {
			fmt.Fprintln(out, "     ", fault)
			bad = append(bad, fault)
		}
		if kept != "" {
			fmt.Fprintln(out, "      kept in", kept)
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d faults in %d runs", len(bad), len(trials))
	}
	return nil
}

// run runs one trial in a folder of its own and lists its faults. With faults the
// folder stays, if that was asked for.
func (h how) run(ctx context.Context, t trial) (faults []error, kept string, err error) {
	dir, err := os.MkdirTemp(h.keep, "targon-soak-run-")
	if err != nil {
		return nil, "", err
	}
	faults = h.judge(ctx, t, dir)
	if h.keep != "" && len(faults) > 0 {
		return faults, dir, nil
	}
	return faults, "", os.RemoveAll(dir)
}

func (h how) judge(ctx context.Context, t trial, dir string) []error {
	ctx, cancel := context.WithTimeout(ctx, h.limit)
	defer cancel()
	args := append([]string{"up", "--epochs", strconv.Itoa(h.epochs), "--json", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data")}, t.flags...)
	cmd := exec.CommandContext(ctx, h.bin, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	_ = os.WriteFile(filepath.Join(dir, "stdout"), stdout.Bytes(), 0o600) // for people who look for a cause
	_ = os.WriteFile(filepath.Join(dir, "stderr"), stderr.Bytes(), 0o600)
	if err != nil {
		return []error{fmt.Errorf("%w: %s", err, last(stderr.String()))}
	}
	var r result
	if err := json.Unmarshal([]byte(last(stdout.String())), &r); err != nil {
		return []error{fmt.Errorf("last line of stdout: %w", err)}
	}
	return t.faults(r, h.epochs)
}

// faults lists what is wrong with a result.
func (t trial) faults(r result, epochs int) []error {
	var out []error
	fault := func(ok bool, format string, args ...any) {
		if !ok {
			out = append(out, fmt.Errorf(format, args...))
		}
	}
	honest, cheats := 0, 0
	for _, p := range r.Provers {
		if p.Cheat == "" || t.same {
			honest++
			fault(!p.Convicted, "uid %d is honest and was convicted: %s", p.UID, p.Reason)
			fault(p.Weight > 0, "uid %d is honest and has weight 0", p.UID)
			continue
		}
		cheats++
		fault(p.Convicted || p.Weight == 0, "uid %d cheats by %s and has weight %d", p.UID, p.Cheat, p.Weight)
	}
	fault(honest >= t.honest, "%d honest provers, want at least %d", honest, t.honest)
	fault(cheats >= t.cheats, "%d cheats, want at least %d", cheats, t.cheats)
	fault(r.Epochs == epochs, "%d epochs, want %d", r.Epochs, epochs)
	fault(r.Model != "", "no model is named")
	fault(r.Gateway.Verified > 0, "no answer to a user was verified")
	return out
}

func last(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
