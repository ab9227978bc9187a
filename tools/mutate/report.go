package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// String is how a mutant is reported, and matched by -match.
func (m mutant) String() string {
	return fmt.Sprintf("%s:%d in %s: %s", m.File, m.Line, m.Function, m.Change)
}

// key is how equivalent.txt names a mutant: lines move, source text does not.
func (m mutant) key() string { return fmt.Sprintf("%s %s: %s", m.File, m.Function, m.Change) }

// equivalents are known to change nothing that a test could see: key to reason.
type equivalents map[string]string

// readEquivalents reads a list in which each entry is a line at the margin and its
// reason the indented lines below. Lines that begin with # are comments.
func readEquivalents(name string) (equivalents, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out, last, n := equivalents{}, "", 0
	for whole := range strings.Lines(string(text)) {
		n++
		line := strings.TrimSpace(whole)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(whole, "\t") || strings.HasPrefix(whole, " "):
			if last == "" {
				return nil, fmt.Errorf("%s:%d: a reason without an entry", name, n)
			}
			out[last] = strings.TrimSpace(out[last] + " " + line)
		default:
			if _, twice := out[line]; twice {
				return nil, fmt.Errorf("%s:%d: listed twice: %s", name, n, line)
			}
			last = line
			out[last] = ""
		}
	}
	for k, reason := range out {
		if reason == "" {
			return nil, fmt.Errorf("%s: no reason is given for %s", name, k)
		}
	}
	return out, nil
}

// packageReport says how the mutants of one package fared.
type packageReport struct {
	Package    string     `json:"package"`
	Mutants    int        `json:"mutants"`
	Caught     int        `json:"caught"`
	Late       int        `json:"late"` // of the caught, those that took too long
	Equivalent int        `json:"equivalent"`
	Survivors  []survivor `json:"survivors"`
	Stale      []string   `json:"stale"` // entries of equivalent.txt
}

type survivor struct {
	mutant
	Reached bool `json:"reached"`
}

func (r *packageReport) count(chosen []mutant, fates map[int]fate) {
	r.Survivors, r.Stale = []survivor{}, []string{}
	for _, m := range chosen {
		f := fates[m.ID]
		r.Mutants++
		if f.late {
			r.Late++
		}
		if f.caught() {
			r.Caught++
		} else {
			r.Survivors = append(r.Survivors, survivor{m, f.reached})
		}
	}
}

// excuse takes the known equivalents out of the survivors, and finds entries of the
// list that match no mutant of this package or, when all were tried, no survivor.
func (r *packageReport) excuse(all []mutant, fates map[int]fate, known equivalents, whole bool) {
	exists, excused := map[string]bool{}, map[string]bool{}
	for _, m := range all {
		exists[m.key()] = true
	}
	left := []survivor{}
	for _, s := range r.Survivors {
		if known[s.key()] == "" {
			left = append(left, s)
			continue
		}
		excused[s.key()] = true
		r.Equivalent++
	}
	r.Survivors = left
	for _, k := range slices.Sorted(maps.Keys(known)) {
		file, _, _ := strings.Cut(k, " ")
		if path.Dir(file) != r.Package {
			continue
		}
		switch {
		case !exists[k]:
			r.Stale = append(r.Stale, k+": listed as equivalent, and not in the code")
		case whole && !excused[k] && tried(all, fates, k):
			r.Stale = append(r.Stale, k+": listed as equivalent, and a test catches it")
		}
	}
}

func tried(all []mutant, fates map[int]fate, key string) bool {
	for _, m := range all {
		if _, ok := fates[m.ID]; ok && m.key() == key {
			return true
		}
	}
	return false
}

type report struct {
	Packages []packageReport `json:"packages"`
}

func (r report) clean() bool {
	for _, p := range r.Packages {
		if len(p.Survivors)+len(p.Stale) > 0 {
			return false
		}
	}
	return true
}

func (r report) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	for _, p := range r.Packages {
		for _, s := range p.Survivors {
			if s.Reached {
				fmt.Fprintf(out, "%s: no test failed\n", s)
			} else {
				fmt.Fprintf(out, "%s: no test gets there\n", s)
			}
		}
		for _, s := range p.Stale {
			fmt.Fprintln(out, s)
		}
	}
	for _, p := range r.Packages {
		fmt.Fprintf(out, "%-16s %4d mutants, %d caught (%d by time), %d equivalent, %d survive\n",
			p.Package, p.Mutants, p.Caught, p.Late, p.Equivalent, len(p.Survivors))
	}
	return nil
}
