package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
)

// inspection is what a model file says about itself. Sizes are bytes.
type inspection struct {
	File       string          `json:"file"`
	Bytes      int             `json:"bytes"`
	SHA256     targon.Digest   `json:"sha256"`
	Digest     targon.Digest   `json:"digest"` // names the weights in requests and receipts
	Parameters uint64          `json:"parameters"`
	Types      []typeSummary   `json:"types"`
	Metadata   []metadataEntry `json:"metadata"`
	Tensors    []tensorEntry   `json:"tensors"`
}

type typeSummary struct {
	Type       string `json:"type"`
	Tensors    int    `json:"tensors"`
	Parameters uint64 `json:"parameters"`
	Bytes      int    `json:"bytes"`
}

// metadataEntry holds a value, or of a long list its length only.
type metadataEntry struct {
	Key    string `json:"key"`
	Type   string `json:"type"`
	Length *int   `json:"length,omitempty"` // of a list
	Value  any    `json:"value,omitempty"`
}

type tensorEntry struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Dims       []uint64 `json:"dims"`
	Parameters uint64   `json:"parameters"`
	Bytes      int      `json:"bytes"`
}

func newModelInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "print a model file's metadata, tensors, types, size and digest",
		Long: "Inspect reads any GGUF file whose tensor types are known, also of models that the built-in engine\n" +
			"does not run. The digest is the one that requests and receipts name the weights by.",
		Example: "  targon model inspect m.gguf\n  targon model inspect m.gguf --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withModelFile(args[0], func(data []byte, f *gguf.File) error {
				i := inspect(args[0], data, f)
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(i)
				}
				return i.table(cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func inspect(path string, data []byte, f *gguf.File) inspection {
	sum := targon.Digest(sha256.Sum256(data))
	i := inspection{
		File: path, Bytes: len(data), SHA256: sum, Digest: targon.ModelDigest(sum, kernel.Arith),
		Types: []typeSummary{}, Metadata: []metadataEntry{}, Tensors: []tensorEntry{},
	}
	for _, key := range f.Keys() {
		v, _ := f.Value(key)
		i.Metadata = append(i.Metadata, describe(key, v))
	}
	for _, t := range f.Tensors() {
		n := t.Elements()
		i.Parameters += n
		i.Tensors = append(i.Tensors, tensorEntry{t.Name, t.Type.String(), t.Dims, n, len(t.Data)})
		at := slices.IndexFunc(i.Types, func(s typeSummary) bool { return s.Type == t.Type.String() })
		if at < 0 {
			at = len(i.Types)
			i.Types = append(i.Types, typeSummary{Type: t.Type.String()})
		}
		s := &i.Types[at]
		s.Tensors, s.Parameters, s.Bytes = s.Tensors+1, s.Parameters+n, s.Bytes+len(t.Data)
	}
	slices.SortStableFunc(i.Types, func(a, b typeSummary) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return i
}

// longList is the length from which only the length of a list is told: vocabularies.
const longList = 17

func describe(key string, value any) metadataEntry {
	e := metadataEntry{Key: key, Type: reflect.TypeOf(value).String(), Value: value}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		e.Value = encodable(value)
		return e
	}
	n := v.Len()
	e.Length = &n
	if n >= longList {
		e.Value = nil
		return e
	}
	list := make([]any, n) // also so that bytes come out as numbers
	for i := range list {
		list[i] = encodable(v.Index(i).Interface())
	}
	e.Value = list
	return e
}

// encodable spells numbers that JSON does not know.
func encodable(value any) any {
	switch v := value.(type) {
	case float32:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(v)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	}
	return value
}

func (i inspection) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "file\t%s\nbytes\t%d\nparameters\t%d\nsha256\t%s\ndigest\t%s\n",
		i.File, i.Bytes, i.Parameters, i.SHA256, i.Digest)
	fmt.Fprintf(w, "\nTYPE\tTENSORS\tPARAMETERS\tBYTES\n")
	for _, t := range i.Types {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", t.Type, t.Tensors, t.Parameters, t.Bytes)
	}
	fmt.Fprintf(w, "\nKEY\tTYPE\tVALUE\n")
	for _, m := range i.Metadata {
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(m.Key), m.Type, m.text())
	}
	fmt.Fprintf(w, "\nTENSOR\tTYPE\tSHAPE\tBYTES\n")
	for _, t := range i.Tensors {
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(t.Dims), "[]"), " ", "×")
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", printable(t.Name), t.Type, shape, t.Bytes)
	}
	return w.Flush()
}

// text is a value on one line of at most some 60 letters.
func (m metadataEntry) text() string {
	if m.Length != nil && m.Value == nil {
		return fmt.Sprintf("(%d values)", *m.Length)
	}
	if s, ok := m.Value.(string); ok {
		return shorten(fmt.Sprintf("%q", s))
	}
	return shorten(printable(fmt.Sprint(m.Value)))
}

// printable quotes what is not plain text: a file must not steer the terminal.
func printable(s string) string {
	if q := fmt.Sprintf("%q", s); q != `"`+s+`"` {
		return q
	}
	return s
}

func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
