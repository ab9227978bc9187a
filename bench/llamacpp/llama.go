package main

/*
#include <stdbool.h>
#include <stdint.h>
struct llama_context;
float *llama_get_logits_ith(struct llama_context *ctx, int32_t i);
void llama_set_embeddings(struct llama_context *ctx, bool embeddings);
void llama_synchronize(struct llama_context *ctx);
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/ollama/ollama/llama"

	"targon"
)

// A peer is llama.cpp with a model and one thread. Its attention cache is F16, its own
// default.
type peer struct {
	model   *llama.Model
	context *llama.Context
	batch   *llama.Batch
	raw     *C.struct_llama_context
	vocab   int
}

// newPeer loads a model file for up to length positions, taken in batches of at most batch.
func newPeer(path string, length, batch int) (*peer, error) {
	m, err := llama.LoadModelFromFile(path, llama.ModelParams{UseMmap: true})
	if err != nil {
		return nil, err
	}
	c, err := llama.NewContextWithModel(m, llama.NewContextParams(length, batch, 1, 1, false, "f16"))
	if err != nil {
		llama.FreeModel(m)
		return nil, err
	}
	b, err := llama.NewBatch(batch, 1, 0)
	if err != nil {
		llama.FreeModel(m)
		return nil, err
	}
	// The module's Context has no call for logits; its first field is llama.cpp's handle.
	raw := *(**C.struct_llama_context)(unsafe.Pointer(c))
	// The module asks for embeddings as well, which costs a copy that nobody wants here.
	C.llama_set_embeddings(raw, false)
	return &peer{m, c, b, raw, m.NumVocab()}, nil
}

// run feeds ids from a position on, in one batch, and returns the logits after each,
// valid until the next run. A position of 0 starts anew.
func (p *peer) run(ids []targon.TokenID, position int) (rows [][]float32, err error) {
	if position == 0 {
		p.context.KvCacheClear()
	}
	p.batch.Clear()
	for i, id := range ids {
		p.batch.Add(int(id), nil, position+i, true, 0)
	}
	if err := p.context.Decode(p.batch); err != nil {
		return nil, fmt.Errorf("run %d ids at %d: %w", len(ids), position, err)
	}
	C.llama_synchronize(p.raw)
	for i := range ids {
		row := C.llama_get_logits_ith(p.raw, C.int32_t(i))
		if row == nil {
			return nil, fmt.Errorf("run %d ids at %d: no logits for id %d", len(ids), position, i)
		}
		rows = append(rows, unsafe.Slice((*float32)(unsafe.Pointer(row)), p.vocab))
	}
	return rows, nil
}

func (p *peer) close() {
	p.batch.Free()
	llama.FreeModel(p.model)
}
