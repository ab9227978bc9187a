package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Name       string
	GoFiles    []string
	Export     string
	DepOnly    bool
}

// schemata are all mutants of one package, and the overlay that compiles them in.
type schemata struct {
	mutants []mutant
	overlay string // file
}

// prepare rewrites the package in a folder of the module into dir.
func prepare(ctx context.Context, root, folder, dir string) (schemata, error) {
	pkg, exports, err := list(ctx, root, folder)
	if err != nil {
		return schemata{}, err
	}
	fset := token.NewFileSet()
	var writers []*writer
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		src, err := os.ReadFile(filepath.Join(pkg.Dir, name))
		if err != nil {
			return schemata{}, err
		}
		f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return schemata{}, err
		}
		files = append(files, f)
		writers = append(writers, &writer{file: filepath.ToSlash(filepath.Join(folder, name)), src: src, fset: fset, syntax: f})
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	lookup := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	if _, err := config.Check(pkg.ImportPath, fset, files, info); err != nil {
		return schemata{}, fmt.Errorf("check types: %w", err)
	}
	return assemble(pkg, writers, info, dir)
}

// assemble writes what the writers make of their files, the gates, and the overlay.
func assemble(pkg listed, writers []*writer, info *types.Info, dir string) (schemata, error) {
	var s schemata
	replace := map[string]string{}
	keep := func(name, text string) error {
		to := filepath.Join(dir, name)
		replace[filepath.Join(pkg.Dir, name)] = to
		return os.WriteFile(to, []byte(text), 0o600)
	}
	for i, w := range writers {
		w.info = info
		text := w.rewrite(len(s.mutants))
		s.mutants = append(s.mutants, w.mutants...)
		if err := keep(pkg.GoFiles[i], text); err != nil {
			return s, err
		}
	}
	if err := keep("zz_mutate_gates.go", gates(pkg.Name, len(s.mutants))); err != nil {
		return s, err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return s, err
	}
	s.overlay = filepath.Join(dir, "overlay.json")
	return s, os.WriteFile(s.overlay, text, 0o600)
}

// list returns a package and where the compiled forms of all that it imports lie.
func list(ctx context.Context, root, folder string) (listed, map[string]string, error) {
	text, err := command(ctx, root, "go", "list", "-deps", "-export", "-json=ImportPath,Dir,Name,GoFiles,Export,DepOnly", "./"+folder)
	if err != nil {
		return listed{}, nil, err
	}
	var pkg listed
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var one listed
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return listed{}, nil, fmt.Errorf("read go list: %w", err)
		}
		exports[one.ImportPath] = one.Export
		if !one.DepOnly {
			pkg = one
		}
	}
	return pkg, exports, nil
}

// compile builds the test binary of a folder's package with the overlay.
func compile(ctx context.Context, root, folder, overlay, bin string) error {
	_, err := command(ctx, root, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", bin, "./"+folder)
	if err != nil {
		return err
	}
	if _, err := os.Stat(bin); err != nil {
		return fmt.Errorf("package %s has no tests", folder)
	}
	return nil
}

// command returns what a command prints.
func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", name, args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
