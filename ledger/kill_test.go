package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"targon"
	"targon/ledger"
)

const (
	childEnv = "TARGON_LEDGER_CHILD"
	killsEnv = "TARGON_LEDGER_KILLS" // how often TestKill kills; for soaking
	writers  = 4
)

// child appends from several goroutines, and says "writer number" on stdout once a
// pair of entries is acknowledged, until it is killed.
func child(path string) int {
	l, err := ledger.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	next, err := inspect(l)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := next[w]; ; n++ {
				e := targon.WeightsSet{Epoch: targon.Epoch(w), Block: targon.Block(n)}
				if err := l.Append(context.Background(), e, e); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Fprintf(os.Stdout, "%d %d\n", w, n)
			}
		})
	}
	group.Wait()
	return 1
}

// inspect checks that each writer's numbers are there from 0 on without a gap, in
// pairs, none twice, and returns each writer's next number.
func inspect(l *ledger.File) (next [writers]int, err error) {
	var pending *targon.WeightsSet
	for e, err := range l.All(context.Background()) {
		if err != nil {
			return next, err
		}
		m := e.(targon.WeightsSet)
		if pending != nil {
			if m != *pending {
				return next, fmt.Errorf("%v follows %v: an append was torn", m, *pending)
			}
			pending = nil
			continue
		}
		if int(m.Block) != next[m.Epoch] {
			return next, fmt.Errorf("writer %d has number %d, want %d", m.Epoch, m.Block, next[m.Epoch])
		}
		next[m.Epoch]++
		pending = &m
	}
	if pending != nil {
		return next, fmt.Errorf("%v is alone: an append was torn", *pending)
	}
	return next, nil
}

// TestKill kills a writing process with SIGKILL again and again: what it said is
// there is there, once.
func TestKill(t *testing.T) {
	kills := 50
	if s := os.Getenv(killsEnv); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if testing.Short() {
		kills = 5
	}
	path := filepath.Join(t.TempDir(), "ledger")
	rng := rand.New(rand.NewPCG(1, 2))
	acked, total := [writers]int{}, 0
	for k := range kills {
		said := killOnce(t, path, time.Duration(rng.IntN(25_000))*time.Microsecond)
		for w := range writers {
			acked[w] = max(acked[w], said[w])
		}
		l, err := ledger.Open(path)
		if err != nil {
			t.Fatalf("after kill %d: %v", k+1, err)
		}
		next, err := inspect(l)
		if err != nil {
			t.Fatalf("after kill %d: %v", k+1, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		total = 0
		for w := range writers {
			if next[w] < acked[w] {
				t.Fatalf("after kill %d: writer %d has %d appends, %d were acknowledged", k+1, w, next[w], acked[w])
			}
			total += acked[w]
		}
	}
	if total == 0 {
		t.Fatal("no append was acknowledged before a kill")
	}
	t.Logf("%d kills, %d acknowledged appends, none lost, none twice", kills, total)
}

// killOnce runs a child, kills it a little after its first word, and returns how
// many appends each writer had acknowledged.
func killOnce(t *testing.T, path string, after time.Duration) (acked [writers]int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a last line without its end was never said
		}
		if timer == nil {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		var w, n int
		if _, err := fmt.Sscanf(line, "%d %d\n", &w, &n); err != nil {
			t.Errorf("child says %q: %v", line, err)
			continue
		}
		acked[w] = n + 1
	}
	if timer == nil {
		t.Error("child ended by itself")
		_ = cmd.Process.Kill()
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil {
		t.Error("child ended by itself")
	}
	return acked
}
