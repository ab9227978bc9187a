package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"targon/wallet"
)

// TestWalletScripts runs the scripts of testdata/wallet with the command in this
// process, so that passwords can be typed and Bittensor's key derivation, which
// takes seconds and 512 MiB, is replaced by a hash.
func TestWalletScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/wallet",
		Setup: func(e *testscript.Env) error {
			e.Values["typed"] = &typist{}
			e.Setenv("BT_WALLET_PATH", e.Getenv("WORK")+"/wallets")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"wallet":   walletScriptCommand,
			"type":     typeCommand,
			"password": passwordCommand,
			"mode":     modeCommand,
			"keep":     keepCommand,
		},
	})
}

// typist types what a script told it to.
type typist struct{ lines []string }

func (p *typist) secret(prompts io.Writer) func(context.Context, string) ([]byte, error) {
	return func(_ context.Context, prompt string) ([]byte, error) {
		fmt.Fprintln(prompts, prompt)
		if len(p.lines) == 0 {
			return nil, errNoTerminal
		}
		line := p.lines[0]
		p.lines = p.lines[1:]
		return []byte(line), nil
	}
}

// walletScriptCommand is `[!] wallet ARG...`: `targon wallet ARG...` in this process;
// what follows < is its standard input.
func walletScriptCommand(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("typed").(*typist)
	cmd := newWalletCommandWith(walletOutside{
		kdf:    sha256.Sum256,
		lookup: func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" },
		secret: p.secret(ts.Stderr()),
	})
	if n := len(args); n > 1 && args[n-2] == "<" {
		cmd.SetIn(strings.NewReader(ts.ReadFile(args[n-1])))
		args = args[:n-2]
	}
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(ts.Stdout())
	cmd.SetErr(ts.Stderr())
	err := cmd.ExecuteContext(context.Background())
	if err != nil {
		fmt.Fprintln(ts.Stderr(), "targon: "+err.Error())
		if strings.Contains(err.Error(), "\n") {
			ts.Fatalf("an error of more than one line: %v", err)
		}
	}
	if (err != nil) != neg {
		ts.Fatalf("wallet %s: %v", strings.Join(args, " "), err)
	}
	if len(p.lines) > 0 && !neg {
		ts.Fatalf("%d lines were typed that nobody asked for", len(p.lines))
	}
	p.lines = nil
}

// typeCommand is `type LINE...`: what is typed when the next command asks.
func typeCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value("typed").(*typist).lines = args
}

// passwordCommand is `password [-disguised] FILE VALUE`: it sets the variable for a
// key file, plainly or as Bittensor does.
func passwordCommand(ts *testscript.TestScript, _ bool, args []string) {
	disguised := args[0] == "-disguised"
	if disguised {
		args = args[1:]
	}
	names := wallet.Variables(args[0])
	if !disguised {
		ts.Setenv(names[len(names)-1], args[1])
		return
	}
	raw := []byte(args[1])
	for i := range raw {
		raw[i] ^= names[0][i%len(names[0])]
	}
	ts.Setenv(names[0], base64.StdEncoding.EncodeToString(raw))
}

// modeCommand is `mode OCTAL FILE...`: it fails unless the files have the mode.
func modeCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args[1:] {
		info, err := os.Stat(ts.MkAbs(file))
		ts.Check(err)
		if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

// keepCommand is `keep NAME PREFIX`: it sets a variable to what follows PREFIX on the
// last output's first line that begins with it, or stands in it as a JSON field.
func keepCommand(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if _, rest, ok := strings.Cut(line, `"`+args[1]+`":"`); ok {
			value, _, _ := strings.Cut(rest, `"`)
			ts.Setenv(args[0], value)
			return
		}
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), args[1]); ok {
			ts.Setenv(args[0], strings.TrimSpace(rest))
			return
		}
	}
	ts.Fatalf("no line with %s", args[1])
}

// TestWalletHelp: every command has its example and says where secrets come from;
// none takes one as an argument.
func TestWalletHelp(t *testing.T) {
	cmd := newWalletCommand()
	for _, sub := range cmd.Commands() {
		if sub.Example == "" || sub.Short == "" {
			t.Errorf("%s: no example", sub.Name())
		}
		for _, banned := range []string{"password", "mnemonic", "seed", "force", "overwrite"} {
			if sub.Flags().Lookup(banned) != nil {
				t.Errorf("%s: flag --%s", sub.Name(), banned)
			}
		}
	}
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(nil)
	if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), "BT_PW_") {
		t.Errorf("%v, %s", err, out.String())
	}
}

// TestNoTerminal: without a terminal nobody waits for a password.
func TestNoTerminal(t *testing.T) {
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func(before *os.File) { os.Stdin = before; _ = in.Close() }(os.Stdin)
	os.Stdin = in
	if _, err := typeSecret(t.Context(), "Password: "); !errors.Is(err, errNoTerminal) {
		t.Errorf("%v, want errNoTerminal", err)
	}
}
