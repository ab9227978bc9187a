package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// bench tries the mutants of one package.
type bench struct {
	options
	dir      string
	progress io.Writer
}

// try rewrites and compiles a package, and tries its mutants: on its own tests first,
// then, those that survive, on the tests of the other packages that were named.
func (b bench) try(ctx context.Context, folder string, known equivalents) (packageReport, error) {
	folder = filepath.ToSlash(filepath.Clean(folder))
	r := packageReport{Package: folder}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return r, err
	}
	all, err := prepare(ctx, b.root, folder, b.dir)
	if err != nil {
		return r, err
	}
	var chosen []mutant
	for i, m := range all.mutants {
		if b.kinds[m.Kind] && strings.Contains(m.String(), b.match) && b.slice.holds(i) {
			chosen = append(chosen, m)
		}
	}
	tests := append([]string{folder}, b.with...)
	fates := map[int]fate{}
	for i, p := range tests {
		if i > 0 && p == folder {
			continue
		}
		left := survivors(chosen, fates)
		if len(left) == 0 {
			break
		}
		if err := b.against(ctx, binary{wait: b.wait, folder: p, path: filepath.Join(b.dir, fmt.Sprint("test", i))}, all.overlay, left, fates); err != nil {
			return r, fmt.Errorf("tests of %s: %w", p, err)
		}
	}
	r.count(chosen, fates)
	whole := b.match == "" && b.slice.parts == 1
	r.excuse(all.mutants, fates, known, whole)
	return r, nil
}

func survivors(all []mutant, fates map[int]fate) []mutant {
	var out []mutant
	for _, m := range all {
		if !fates[m.ID].caught() {
			out = append(out, m)
		}
	}
	return out
}

// against tries mutants on the tests of one package and notes their fates.
func (b bench) against(ctx context.Context, bin binary, overlay string, mutants []mutant, fates map[int]fate) error {
	if err := compile(ctx, b.root, bin.folder, overlay, bin.path); err != nil {
		return err
	}
	bin.temp = bin.path + ".tmp"
	if err := os.MkdirAll(bin.temp, 0o700); err != nil {
		return err
	}
	var err error
	if bin.dir, err = mirror(b.root, bin.folder, bin.path+".mirror"); err != nil {
		return err
	}
	tests, err := bin.tests(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.progress, "%s: %d mutants, %d tests\n", bin.folder, len(mutants), len(tests))
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		wrong error
		queue = make(chan mutant)
		done  int
	)
	for range b.jobs {
		wait.Go(func() {
			for m := range queue {
				f, err := bin.try(ctx, m, tests)
				lock.Lock()
				wrong = errors.Join(wrong, err)
				f.reached = f.reached || fates[m.ID].reached
				fates[m.ID] = f
				if done++; !f.caught() {
					fmt.Fprintf(b.progress, "[%d/%d] %s: no test of %s failed\n", done, len(mutants), m, bin.folder)
				}
				lock.Unlock()
			}
		})
	}
	for _, m := range mutants {
		if ctx.Err() == nil {
			queue <- m
		}
	}
	close(queue)
	wait.Wait()
	return errors.Join(wrong, ctx.Err())
}

// tests runs each test by itself, without a mutant, and returns them from cheap to dear.
func (b *binary) tests(ctx context.Context) ([]test, error) {
	if err := b.learn(ctx); err != nil {
		return nil, err
	}
	names, err := b.list(ctx)
	if err != nil {
		return nil, err
	}
	var out []test
	for _, n := range names {
		t, err := b.measure(ctx, n)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].cost < out[j].cost })
	return out, nil
}
