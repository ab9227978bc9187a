package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What a mutant may use up. A loop that no longer ends is caught by its processor time,
// which a busy machine does not change; only what waits for ever is caught by the clock.
const (
	patience     = 5               // times the usual processor time
	leastTime    = 2 * time.Second // beside that
	memory       = 4 << 20         // KiB of data
	fileSize     = 1 << 18         // blocks of 512 bytes; a POSIX shell counts in these
	outputKept   = 64 << 10
	quick        = 200 * time.Millisecond // tests that are as cheap as this together run together
	unmutated    = -1
	baselineTime = 10 * time.Minute
)

// binary is the test binary of one package.
type binary struct {
	wait   time.Duration // for a test that neither ends nor computes
	folder string
	path   string
	dir    string   // where it runs
	temp   string   // its TMPDIR
	flags  []string // of the libraries that its tests use
}

// test is one test function, example or fuzz target.
type test struct {
	name    string
	cost    time.Duration // processor time, alone
	reaches map[int]bool
}

// fate is what became of a mutant.
type fate struct {
	by      string // the test that failed
	late    bool   // or it took too long
	reached bool
}

func (f fate) caught() bool { return f.by != "" || f.late }

// learn makes property tests draw from one seed, keep no failures in the tree, and
// waste no time on making them small.
func (b *binary) learn(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, b.path, "-h")
	cmd.Dir = b.dir
	usage, err := cmd.CombinedOutput()
	if len(usage) == 0 {
		return fmt.Errorf("ask for flags: %w", err)
	}
	if bytes.Contains(usage, []byte("-rapid.seed")) {
		b.flags = []string{"-rapid.seed=1", "-rapid.nofailfile", "-rapid.shrinktime=1ms"}
	}
	return nil
}

func (b *binary) list(ctx context.Context) ([]string, error) {
	out, err := command(ctx, b.dir, b.path, "-test.list", ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.HasPrefix(name, "Benchmark") {
			names = append(names, name)
		}
	}
	return names, nil
}

// measure runs one test without a mutant, and notes which conditions it reaches.
func (b *binary) measure(ctx context.Context, name string) (test, error) {
	log := filepath.Join(b.temp, "reached")
	defer os.RemoveAll(log)
	out := b.run(ctx, []string{name}, unmutated, limits{cpu: baselineTime, wall: baselineTime}, logEnv+"="+log)
	if out.err != nil {
		return test{}, fmt.Errorf("%s fails without a mutant: %w\n%s", name, out.err, out.text)
	}
	t := test{name: name, cost: out.cpu, reaches: map[int]bool{}}
	text, err := os.ReadFile(log)
	if err != nil {
		return t, err
	}
	for f := range strings.FieldsSeq(string(text)) {
		id, err := strconv.Atoi(f)
		if err != nil {
			return t, err
		}
		t.reaches[id] = true
	}
	return t, nil
}

// try runs the tests that reach a mutant until one fails.
func (b *binary) try(ctx context.Context, m mutant, tests []test) (fate, error) {
	var f fate
	for _, round := range rounds(tests, m.ID) {
		f.reached = true
		var names []string
		l := limits{cpu: leastTime, wall: b.wait}
		for _, t := range round {
			names = append(names, t.name)
			l.cpu += patience * t.cost
			l.wall += 2 * patience * t.cost
		}
		out := b.run(ctx, names, m.ID, l)
		if ctx.Err() != nil {
			return f, ctx.Err()
		}
		if out.err != nil {
			f.by, f.late = failed(out.text, names[0]), out.late
			return f, nil
		}
	}
	return f, nil
}

// rounds are the tests that reach a mutant, from cheap to dear: the quick ones together,
// since a process costs more than they do, but only few, since a mutant that does not end
// may take five times what its whole round takes.
func rounds(tests []test, id int) [][]test {
	var out [][]test
	var cost time.Duration
	for _, t := range tests {
		if !t.reaches[id] {
			continue
		}
		if cost += t.cost; len(out) > 0 && cost <= quick {
			out[len(out)-1] = append(out[len(out)-1], t)
		} else {
			out, cost = append(out, []test{t}), t.cost
		}
	}
	return out
}

// failed finds the first test that failed in what a binary printed.
func failed(text, otherwise string) string {
	if m := regexp.MustCompile(`(?m)^--- FAIL: (\S+)`).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return otherwise
}

// limits of one run.
type limits struct{ cpu, wall time.Duration }

// outcome of one run.
type outcome struct {
	err  error
	late bool
	cpu  time.Duration
	text string
}

// run runs tests with one mutant. The shell sets the limits, which Go cannot set for a
// child alone.
func (b *binary) run(ctx context.Context, names []string, id int, l limits, env ...string) outcome {
	ctx, cancel := context.WithTimeout(ctx, l.wall)
	defer cancel()
	seconds := int(l.cpu/time.Second) + 1
	script := fmt.Sprintf(`ulimit -t %d; ulimit -d %d; ulimit -f %d; ulimit -c 0; exec "$0" "$@"`, seconds, memory, fileSize)
	args := append([]string{
		"-c", script, b.path, "-test.run", "^(" + strings.Join(names, "|") + ")$",
		"-test.failfast", "-test.paniconexit0", "-test.timeout", (l.wall + time.Minute).String(),
	}, b.flags...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+b.temp, chosenEnv+"="+strconv.Itoa(id))
	cmd.Env = append(cmd.Env, env...)
	kept := &tail{limit: outputKept}
	cmd.Stdout, cmd.Stderr = kept, kept
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its children end with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out := outcome{err: cmd.Run()}
	out.text = string(kept.kept)
	if cmd.ProcessState != nil {
		out.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	out.late = out.err != nil && (ctx.Err() != nil || out.cpu >= l.cpu)
	return out
}

// tail keeps the end of what is written to it.
type tail struct {
	kept  []byte
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}
