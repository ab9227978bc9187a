// Command mutate turns round each condition of a package in turn and reports those
// of which no test takes notice. A package is compiled once, with every condition
// passing through a gate that one environment variable opens (mutant schemata:
// Untch, Offutt, Harrold, "Mutation analysis using mutant schemata", ISSTA 1993),
// and each mutant meets only the tests that reach its condition.
//
// There are two kinds of mutants. An inversion negates a comparison, the condition of
// an if or a for, a case of a switch without a tag, an operand of && or ||, or what
// stands after a !. A boundary moves < to <=, <= to <, > to >= and >= to >. Constants
// are left alone, and so are the comparisons that a switch with a tag makes, and
// everything that is no condition: arithmetic, calls, statements.
//
// A mutant is caught when a test fails, panics, exits, or takes five times its usual
// processor time. Some cannot be caught, because nothing depends on them; those are
// deleted from the code where that is possible, and listed with their reasons in
// equivalent.txt where it is not. An entry of that list that matches nothing, or
// whose mutant a test does catch, fails the run like a survivor.
//
// Nothing is written below the root: sources are replaced by an overlay, tests run in a
// mirror of links, and property tests draw from a fixed seed and keep no failures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	root     string
	packages []string
	with     []string
	kinds    map[kind]bool
	match    string
	slice    slice
	jobs     int
	wait     time.Duration
	reasons  string // file of the known equivalents
	json     bool
}

// slice is the part-th of parts.
type slice struct{ part, parts int }

func (s slice) holds(i int) bool { return i%s.parts == s.part-1 }

// errSurvivors says that the run was good and its result is not; all of it is printed.
var errSurvivors = errors.New("conditions that no test holds")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	known, err := readEquivalents(o.reasons)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "targon-mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var r report
	for i, p := range o.packages {
		b := bench{options: o, dir: filepath.Join(dir, fmt.Sprint(i)), progress: progress}
		one, err := b.try(ctx, p, known)
		if err != nil {
			return fmt.Errorf("mutate %s: %w", p, err)
		}
		r.Packages = append(r.Packages, one)
	}
	if err := r.print(out, o.json); err != nil {
		return err
	}
	if !r.clean() {
		return errSurvivors
	}
	return nil
}

func parse(args []string, usage io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("mutate", flag.ContinueOnError)
	f.SetOutput(usage)
	f.StringVar(&o.root, "root", ".", "root of the module whose packages are named")
	f.StringVar(&o.match, "match", "", "only mutants whose report holds this text, such as judge.go:57")
	f.StringVar(&o.reasons, "equivalent", "", "file of known equivalents (default: ROOT/tools/mutate/equivalent.txt, if there is one)")
	f.IntVar(&o.jobs, "jobs", max(1, runtime.NumCPU()/2), "mutants tried at a time")
	f.DurationVar(&o.wait, "wait", 30*time.Second, "how long a test may stand still, beside ten times its usual processor time")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	kinds := f.String("kinds", "inversion,boundary", "kinds of mutants")
	with := f.String("with", "", "packages whose tests are tried on survivors, separated by commas")
	part := f.String("run", "1/1", "N/M: every M-th mutant, from the N-th on")
	f.Usage = func() {
		fmt.Fprintln(usage, "usage: mutate [flags] PACKAGE... (folders below the root, such as proof engine/redteam)")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if _, err := fmt.Sscanf(*part, "%d/%d", &o.slice.part, &o.slice.parts); err != nil || o.slice.part < 1 || o.slice.part > o.slice.parts {
		return o, fmt.Errorf("-run %s: want N/M with 1 <= N <= M", *part)
	}
	o.kinds = map[kind]bool{}
	for k := range strings.SplitSeq(*kinds, ",") {
		if kind(k) != inversion && kind(k) != boundary {
			return o, fmt.Errorf("-kinds %s: want inversion, boundary or both", *kinds)
		}
		o.kinds[kind(k)] = true
	}
	o.packages, o.with = f.Args(), strings.FieldsFunc(*with, func(r rune) bool { return r == ',' })
	if len(o.packages) == 0 || o.jobs < 1 {
		f.Usage()
		return o, errors.New("want at least one package, and at least one job")
	}
	var err error
	if o.root, err = filepath.Abs(o.root); err != nil {
		return o, err
	}
	if o.reasons == "" {
		o.reasons = filepath.Join(o.root, "tools", "mutate", "equivalent.txt")
	}
	return o, nil
}
