package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts under testdata/script are the manual of the command, and its test:
// each runs this binary's own main.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"targon": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"http":    httpCommand,
			"port":    portCommand,
			"exits":   exitsCommand,
			"receipt": receiptCommand,
		},
	})
}

// httpCommand is `[!] http METHOD URL [key [body-file]]`: it asks until the server
// answers, has provers to answer with and has closed the epoch that is asked about, for at most a minute, and fails
// unless the status is 200. The answer goes to the file "answer".
func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: http METHOD URL [key [body-file]]")
	}
	var body []byte
	if len(args) > 3 {
		body = []byte(ts.ReadFile(args[3]))
	}
	deadline := time.Now().Add(time.Minute)
	for {
		status, answer, err := ask(args, body)
		if (err != nil || status == http.StatusServiceUnavailable || status == http.StatusConflict) && time.Now().Before(deadline) {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs("answer"), answer, 0o600))
		if ok := status == http.StatusOK; ok == neg {
			ts.Fatalf("%s answers %d: %s", args[1], status, answer)
		}
		return
	}
}

func ask(args []string, body []byte) (int, []byte, error) {
	req, err := http.NewRequest(args[0], args[1], bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if len(args) > 2 {
		req.Header.Set("Authorization", "Bearer "+args[2])
	}
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// receiptCommand is `receipt NAME FILE`: it sets the variable to the receipt that an
// answer of a gateway's names.
func receiptCommand(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(`"receipt":"([0-9a-f]{64})"`).FindStringSubmatch(ts.ReadFile(args[1]))
	if m == nil {
		ts.Fatalf("%s names no receipt", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// portCommand is `port NAME [taken]`: it sets the variable to a free local address, or
// to one that stays taken until the script ends.
func portCommand(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	if len(args) > 1 && args[1] == "taken" {
		ts.Defer(func() { _ = l.Close() })
		return
	}
	ts.Check(l.Close())
}

func TestOneLine(t *testing.T) {
	for _, c := range []struct{ err, want string }{
		{"read\n  it\tall", "read it all"},
		{"plain", "plain"},
	} {
		if got := oneLine(fmt.Errorf("%s", c.err)); got != c.want || strings.Contains(got, "\n") {
			t.Errorf("oneLine(%q) = %q, want %q", c.err, got, c.want)
		}
	}
}
