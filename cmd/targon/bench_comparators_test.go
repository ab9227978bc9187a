package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestBenchComparatorsFlags(t *testing.T) {
	for flag, value := range map[string]string{"--answers": "0", "--pack": "nothing.json"} {
		cmd := newBenchComparatorsCommand(nil)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{flag, value})
		cmd.SetOut(&bytes.Buffer{})
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s %s: %v", flag, value, err)
		}
	}
}
