package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"targon"
	"targon/chain/subtensor"
	"targon/gateway"
	"targon/ledger"
	"targon/node"
	"targon/verifier"
)

// TestNetworkScripts runs roles as processes that meet over sockets.
func TestNetworkScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/network",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"http":     httpCommand,
			"receipt":  receiptCommand,
			"port":     portCommand,
			"portof":   portOfCommand,
			"status":   statusCommand,
			"exits":    exitsCommand,
			"sigterm":  sigtermCommand,
			"sigkill":  sigkillCommand,
			"until":    untilCommand,
			"says":     saysCommand,
			"replayed": replayedCommand,
			"judged":   judgedCommand,

			"committed": committedCommand,
		},
	})
}

// portOfCommand is `portof NAME HOST:PORT`: it sets the variable to the port.
func portOfCommand(ts *testscript.TestScript, _ bool, args []string) {
	_, port, err := net.SplitHostPort(args[1])
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// statusCommand is `status CODE METHOD URL [key [body-file]]`: it asks until the server
// listens and answers with that status, for at most 20 s. The answer goes to the file
// "answer".
func statusCommand(ts *testscript.TestScript, _ bool, args []string) {
	var body []byte
	if len(args) > 4 {
		body = []byte(ts.ReadFile(args[4]))
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, answer, err := ask(args[1:], body)
		if err == nil && fmt.Sprint(status) == args[0] {
			ts.Check(os.WriteFile(ts.MkAbs("answer"), answer, 0o600))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s answers %d %s, %v, want %s", args[2], status, answer, err, args[0])
		}
	}
}

// exitsCommand is `exits CODE ARG...`: `targon ARG...` ends with that status.
func exitsCommand(ts *testscript.TestScript, _ bool, args []string) {
	status := 0
	if err := ts.Exec("targon", args[1:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("targon %s: %v", strings.Join(args[1:], " "), err)
		}
		status = exit.ExitCode()
	}
	if fmt.Sprint(status) != args[0] {
		ts.Fatalf("targon %s: exit status %d, want %s", strings.Join(args[1:], " "), status, args[0])
	}
}

// sigtermCommand is `sigterm COMMAND [ARG]`: it tells the process that runs `targon
// COMMAND`, with that argument among its own, to end.
func sigtermCommand(ts *testscript.TestScript, _ bool, args []string) {
	if !signalTo(ts, syscall.SIGTERM, args) {
		ts.Fatalf("no process runs targon %s", strings.Join(args, " "))
	}
}

// sigkillCommand is `sigkill COMMAND`: the process that runs `targon COMMAND` is gone.
func sigkillCommand(ts *testscript.TestScript, _ bool, args []string) {
	if !signalTo(ts, syscall.SIGKILL, args) {
		ts.Fatalf("no process runs targon %s", strings.Join(args, " "))
	}
}

// committedCommand is `committed FOLDER`: it waits until a verifier has a commit of
// weights in a final block, for at most a minute, and looks at who may read its salt.
func committedCommand(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var p subtensor.Pledge
		b, err := node.PledgeFile(dir).Kept()
		if err == nil && p.UnmarshalBinary(b) == nil && p.Final {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nothing was committed: %x, %v", b, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "commit"))
	ts.Check(err)
	if info.Mode().Perm() != 0o600 {
		ts.Fatalf("the salt has mode %v", info.Mode())
	}
}

func signalTo(ts *testscript.TestScript, s syscall.Signal, args []string) bool {
	for _, cmd := range ts.BackgroundCmds() {
		if cmd.Args[1] == args[0] && (len(args) == 1 || slices.Contains(cmd.Args, args[1])) {
			ts.Check(cmd.Process.Signal(s))
			return true
		}
	}
	return false
}

// judgedCommand is `judged FOLDER USERS`: the ledger has that many arrivals of users'
// requests, and a verdict on each.
func judgedCommand(ts *testscript.TestScript, _ bool, args []string) {
	l, err := ledger.Open(filepath.Join(ts.MkAbs(args[0]), "ledger"))
	ts.Check(err)
	defer func() { _ = l.Close() }()
	arrived, judged := map[targon.Digest]bool{}, 0
	for e, err := range l.All(context.Background()) {
		ts.Check(err)
		switch e := e.(type) {
		case targon.Arrived:
			if e.Origin == targon.OriginOrganic {
				arrived[e.Request] = true
			}
		case targon.Judged:
			if arrived[e.Verdict.Request] {
				judged++
			}
		}
	}
	if fmt.Sprint(len(arrived)) != args[1] || judged != len(arrived) {
		ts.Fatalf("%d arrivals of users' requests and %d verdicts on them, want %s", len(arrived), judged, args[1])
	}
}

// untilCommand is `until PATTERN ARG...`: it runs `targon ARG...` until its output
// matches, for at most a minute.
func untilCommand(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[0])
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec("targon", args[1:]...)
		if err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("targon %s: %v, no output that matches %s", strings.Join(args[1:], " "), err, want)
		}
	}
}

// saysCommand is `says PATTERN ARG...`: it runs `targon ARG...` until a line of its standard error
// matches, for at most a minute, and then has it end, well.
func saysCommand(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[0])
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "targon", args[1:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), os.Environ()
	for _, name := range []string{"HOME", "TARGON_SUBTENSOR_CHAIN_ENDPOINT", "TARGON_VERIFIER_ENDPOINT"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	said, all := false, new(strings.Builder)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		fmt.Fprintln(all, lines.Text())
		if !said && want.MatchString(lines.Text()) {
			said = true
			ts.Check(cmd.Process.Signal(syscall.SIGTERM))
		}
	}
	if err := cmd.Wait(); err != nil || !said {
		ts.Fatalf("targon %s: %v, wanted %s in:\n%s", strings.Join(args[1:], " "), err, want, all)
	}
}

// replayedCommand is `replayed FOLDER USERS`: the ledger that a verifier left behind
// folds without a gap, has that many requests of users, and weights that were set.
func replayedCommand(ts *testscript.TestScript, _ bool, args []string) {
	l, err := ledger.Open(filepath.Join(ts.MkAbs(args[0]), "ledger"))
	ts.Check(err)
	defer func() { _ = l.Close() }()
	s, err := verifier.Replay(context.Background(), l, node.Policy())
	ts.Check(err)
	v := s.View()
	if got := fmt.Sprint(v.Organic.Requests); got != args[1] || v.Set == 0 || v.Total.Passed == 0 {
		ts.Fatalf("ledger has %s requests of users, want %s; weights set %d times, %d answers passed", got, args[1], v.Set, v.Total.Passed)
	}
}

func TestGatewayKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("# who may come in\r\n\r\nalice  secret-a\r\nbob secret-b 2 60\ncarol secret-c 0 0 5000\n", 0o600)
	got, err := gatewayKeys(path)
	want := []gateway.Key{{Name: "alice", SHA256: gateway.HashKey("secret-a")}, {Name: "bob", SHA256: gateway.HashKey("secret-b"), Concurrent: 2, PerMinute: 60}, {Name: "carol", SHA256: gateway.HashKey("secret-c"), PerDay: 5000}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"alice\n", "a k x\n", "a k -1\n", "a k 1 2 3 4\n", "a k\na l\n", "a secret\nb secret\n", "a secret-é\n", "a " + strings.Repeat("k", 513) + "\n", "", "# nobody\n"} {
		write(bad, 0o600)
		if got, err := gatewayKeys(path); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q is %v, %v", bad, got, err)
		}
	}
	write("alice secret-a\n", 0o644)
	if _, err := gatewayKeys(path); err == nil {
		t.Error("keys that others may read are taken")
	}
	if got, err := gatewayKeys(""); err != nil || got != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
}
