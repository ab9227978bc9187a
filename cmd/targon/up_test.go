package main

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"targon/localnet"
)

// TestUpInterruptedAtOnce: who interrupts a network before it stands gets an empty
// result, and no error.
func TestUpInterruptedAtOnce(t *testing.T) {
	m, err := loadModel("", builtinModel)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	c := localnet.Config{Model: m, Honest: 1, AuditPPM: 1_000_000, BlockTime: time.Hour, Progress: io.Discard}
	var out bytes.Buffer
	if err := up(ctx, c, true, &out); err != nil {
		t.Errorf("up returns %v", err)
	}
	want := `{"epochs":0,"blocks":0,"model":"targon-tiny-1","provers":[],"gateway":{"requests":0,"verified":0},"generate_tokens_per_cpu_second":0,"score_tokens_per_cpu_second":0}` + "\n"
	if out.String() != want {
		t.Errorf("prints %s, want %s", &out, want)
	}
}
