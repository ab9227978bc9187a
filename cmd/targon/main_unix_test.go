//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSecondSignal: who insists is obeyed, also where the first signal cannot be: opening
// a pipe that nobody writes to waits for ever.
func TestSecondSignal(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("no pipes with names here: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "model", "inspect", pipe)
	cmd.Args[0] = "targon" // TestMain runs main then
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick, late := time.NewTicker(200*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		case err := <-ended:
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT {
				t.Errorf("ended with %v", err)
			}
			return
		case <-late:
			_ = cmd.Process.Kill()
			<-ended
			t.Fatal("it does not end")
		}
	}
}
