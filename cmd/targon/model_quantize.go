package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"targon/engine/native/gguf"
)

// fileTypes are the values of general.file_type for what quantize writes, numbered as
// llama_ftype in llama.h; Q4_K alone is its "small" mixture.
func fileTypes() map[gguf.Type]uint32 {
	return map[gguf.Type]uint32{gguf.F16: 1, gguf.Q4_0: 2, gguf.Q8_0: 7, gguf.Q4_K: 14}
}

// quantizeVersion is the version of the block formats, GGML_QNT_VERSION in ggml.h.
const quantizeVersion = uint32(2)

func newModelQuantizeCommand() *cobra.Command {
	var to string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "quantize IN OUT",
		Short: "store a model's matrices in fewer bits",
		Long: "Quantize rounds every matrix of IN to one type and writes OUT, which must not exist. Metadata with the\n" +
			"tokenizer and vectors such as norms stay as they are. A matrix whose rows do not fill the type's blocks\n" +
			"is stored as the next larger type that fits: Q8_0, then F16.",
		Example: "  targon model quantize m.gguf m-q8.gguf --type q8_0\n  targon model quantize m.gguf m-q4.gguf --type q4_k",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			typ, ok := gguf.Named(to)
			if _, writes := fileTypes()[typ]; !ok || !writes {
				return fmt.Errorf("--type %q: want q8_0, q4_0, q4_k or f16", to)
			}
			if err := absent(args[1]); err != nil {
				return err
			}
			return withModelFile(args[0], func(data []byte, f *gguf.File) error {
				out, q, err := quantized(cmd.Context(), f, typ)
				if err != nil {
					return err
				}
				q.File, q.Type, q.Before = args[1], typ.String(), len(data)
				if q.Bytes, q.SHA256, err = writeModel(cmd.Context(), args[1], out); err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(q)
				}
				return q.print(cmd.OutOrStdout())
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "type", "", "q8_0, q4_0, q4_k or f16")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	require(cmd, "type")
	return cmd
}

// quantization tells what was done.
type quantization struct {
	File     string `json:"file"`
	Type     string `json:"type"`
	Bytes    int    `json:"bytes"`
	Before   int    `json:"bytes_before"`
	Matrices int    `json:"matrices"`
	Larger   int    `json:"larger"`        // matrices whose rows do not fill the type's blocks
	Kept     int    `json:"kept"`          // tensors that stayed as they were
	Again    int    `json:"rounded_again"` // matrices that were in blocks before
	// Error is the root mean square of what rounding changed, over that of the weights.
	Error  float64 `json:"relative_error"`
	SHA256 string  `json:"sha256"`
}

func (q quantization) print(out io.Writer) error {
	lines := fmt.Sprintf("%s: %d bytes, before %d\n%d matrices as %s, %d tensors as they were, relative error %.2g\n",
		q.File, q.Bytes, q.Before, q.Matrices, q.Type, q.Kept, q.Error)
	if q.Larger > 0 {
		lines += fmt.Sprintf("%d matrices in a larger type, as their rows do not fill blocks of %s\n", q.Larger, q.Type)
	}
	if q.Again > 0 {
		lines += fmt.Sprintf("%d of the matrices had been rounded before: their errors add up\n", q.Again)
	}
	_, err := fmt.Fprintf(out, "%ssha256 %s\n", lines, q.SHA256)
	return err
}

// quantized returns a file with its matrices stored as a type.
func quantized(ctx context.Context, f *gguf.File, typ gguf.Type) (*gguf.File, quantization, error) {
	var q quantization
	out, err := metadataFor(f, typ)
	if err != nil {
		return nil, q, err
	}
	var lost, all float64
	for _, t := range f.Tensors() {
		if err := context.Cause(ctx); err != nil {
			return nil, q, err
		}
		if !isMatrix(t) || t.Type == fitting(typ, t.Dims[0]) {
			q.Kept++
			if isMatrix(t) && t.Type != typ {
				q.Larger++
			}
		} else {
			var l, a float64
			if t, l, a, err = q.rounded(t, typ); err != nil {
				return nil, q, err
			}
			lost, all = lost+l, all+a
		}
		if err := out.Add(t); err != nil {
			return nil, q, err
		}
	}
	if all > 0 {
		q.Error = math.Sqrt(lost / all)
	}
	return out, q, nil
}

func metadataFor(f *gguf.File, typ gguf.Type) (*gguf.File, error) {
	out := &gguf.File{}
	for _, key := range f.Keys() {
		v, _ := f.Value(key)
		if err := out.Set(key, v); err != nil {
			return nil, err
		}
	}
	if err := out.Set("general.file_type", fileTypes()[typ]); err != nil {
		return nil, err
	}
	if typ == gguf.F16 {
		return out, nil
	}
	return out, out.Set("general.quantization_version", quantizeVersion)
}

// isMatrix tells tensors of several rows from vectors.
func isMatrix(t *gguf.Tensor) bool { return t.Elements() > t.Dims[0] }

// rounded returns a matrix as a type, or the next larger one that its rows fill, and
// the squared sums of what that changed and of all.
func (q *quantization) rounded(t *gguf.Tensor, typ gguf.Type) (_ *gguf.Tensor, lost, all float64, err error) {
	values := make([]float32, t.Elements())
	if err := gguf.Dequantize(values, t.Type, t.Data); err != nil {
		return nil, 0, 0, fmt.Errorf("tensor %.64q: %w", t.Name, err)
	}
	out := &gguf.Tensor{Name: t.Name, Type: fitting(typ, t.Dims[0]), Dims: t.Dims}
	if out.Data, err = gguf.Quantize(out.Type, values); err != nil {
		return nil, 0, 0, fmt.Errorf("tensor %.64q as %v: %w", t.Name, out.Type, err)
	}
	after := make([]float32, len(values))
	if err := gguf.Dequantize(after, out.Type, out.Data); err != nil {
		return nil, 0, 0, err
	}
	for i, v := range values {
		d := float64(v) - float64(after[i])
		lost, all = lost+d*d, all+float64(v)*float64(v)
	}
	if math.IsNaN(lost) || math.IsInf(lost, 0) {
		return nil, 0, 0, fmt.Errorf("tensor %.64q has numbers that %v does not hold", t.Name, out.Type)
	}
	q.Matrices++
	if out.Type != typ {
		q.Larger++
	}
	if per, _ := t.Type.Block(); per > 1 {
		q.Again++
	}
	return out, lost, all, nil
}

func fitting(typ gguf.Type, row uint64) gguf.Type {
	for _, t := range []gguf.Type{typ, gguf.Q8_0} {
		if per, _ := t.Block(); row%uint64(per) == 0 {
			return t
		}
	}
	return gguf.F16
}

// absent refuses a path where something is.
func absent(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return fmt.Errorf("%s exists: remove it first, or name another file", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for %s: %w", path, err)
	}
	return nil
}

// writeModel writes a file that appears under its name whole or not at all, and never in
// place of another.
func writeModel(ctx context.Context, path string, f *gguf.File) (size int, sum string, err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, "", fmt.Errorf("write model: %w", err)
	}
	defer func() {
		if e := os.Remove(temp.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	hash, count := sha256.New(), new(counter)
	buffer := bufio.NewWriterSize(io.MultiWriter(until{ctx}, temp, hash, count), 1<<20)
	err = gguf.Write(buffer, f)
	for _, step := range []func() error{buffer.Flush, func() error { return temp.Chmod(0o644) }, temp.Sync} {
		if err == nil {
			err = step()
		}
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return 0, "", fmt.Errorf("write model: %w", err)
	}
	if err := appear(temp.Name(), path); err != nil {
		return 0, "", fmt.Errorf("write model: %w", err)
	}
	return int(*count), hex.EncodeToString(hash.Sum(nil)), nil
}

// appear gives a finished file its name. A link fails when the name is taken, which a
// rename does not; file systems without links get a rename after another look.
func appear(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := absent(path); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// until refuses to write when its context has ended.
type until struct{ ctx context.Context }

func (u until) Write(b []byte) (int, error) {
	if err := context.Cause(u.ctx); err != nil {
		return 0, err
	}
	return len(b), nil
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }
