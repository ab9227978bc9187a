package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"targon/engine/native"
	"targon/evidence"
)

// proofFlags say how answers are proven, and so which stacks are admitted.
type proofFlags struct {
	by    string
	packs []string
}

const (
	proofExact  = "exact"
	proofMargin = "margin"
)

func (p *proofFlags) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.by, "proof", proofExact, "`how` answers are proven: exact, ids must be the reference's; margin, they may differ as honest ones of the packs' stacks do")
	f.StringSliceVar(&p.packs, "proof.pack", nil, "`files` of calibration packs that --proof margin goes by, commas between them or repeated (default: the built-in model's own)")
}

// read returns the packs that a model is to be judged by; none for exact proofs.
func (p *proofFlags) read(m *native.Model, builtin []byte) ([]evidence.Pack, error) {
	switch {
	case p.by != proofExact && p.by != proofMargin:
		return nil, fmt.Errorf("--proof %q: choose %s or %s", p.by, proofExact, proofMargin)
	case p.by == proofExact && len(p.packs) > 0:
		return nil, fmt.Errorf("--proof.pack: packs are for --proof %s", proofMargin)
	case p.by == proofExact:
		return nil, nil
	}
	packs, err := p.files(builtin)
	if err != nil {
		return nil, err
	}
	nulls, err := evidence.NewNulls(packs...)
	if err != nil {
		return nil, fmt.Errorf("--proof.pack: %w", err)
	}
	if nulls.Weights() != m.Digest() {
		return nil, fmt.Errorf("--proof %s: the packs are for weights %s, model %s has %s: make one with targon calibrate", proofMargin, nulls.Weights(), m.Name(), m.Digest())
	}
	return packs, nil
}

func (p *proofFlags) files(builtin []byte) ([]evidence.Pack, error) {
	if len(p.packs) == 0 {
		if len(builtin) == 0 {
			return nil, errors.New("--proof " + proofMargin + ": this build has no pack of its own: name one with --proof.pack, targon calibrate makes it")
		}
		pack, err := evidence.ReadPack(bytes.NewReader(builtin))
		if err != nil {
			return nil, fmt.Errorf("read the built-in pack: %w", err)
		}
		return []evidence.Pack{pack}, nil
	}
	var out []evidence.Pack
	for _, path := range p.packs {
		pack, err := readPack(path)
		if err != nil {
			return nil, fmt.Errorf("--proof.pack %s: %w", path, err)
		}
		out = append(out, pack)
	}
	return out, nil
}

func readPack(path string) (evidence.Pack, error) {
	f, err := os.Open(path)
	if err != nil {
		return evidence.Pack{}, err
	}
	defer func() { _ = f.Close() }()
	return evidence.ReadPack(f)
}
