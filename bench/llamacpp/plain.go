package main

import (
	"errors"
	"unsafe"

	"targon/bench/speed"
	"targon/engine/native/kernel"
	"targon/engine/native/mapped"
)

// A plain reads a model file that is mapped and does nothing with it but find the
// greatest of its bits taken as float32: no engine that reads weights from memory for
// each id can be faster.
type plain struct {
	file   *mapped.File
	kernel *kernel.Kernel
	floats []float32
}

func newPlain(path string) (*plain, error) {
	f, err := mapped.Open(path)
	if err != nil {
		return nil, err
	}
	k, err := kernel.Select("")
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	data := f.Data() // begins at a page
	floats := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/4)
	return &plain{f, k, floats[:len(floats)/kernel.Lanes*kernel.Lanes]}, nil
}

func (p *plain) size() int { return 4 * len(p.floats) }

// rate returns bytes in a second of CPU time, of 64 MB at least.
func (p *plain) rate() float64 {
	rounds := max(1, 64e6/p.size())
	before := speed.CPUTime()
	for range rounds {
		p.kernel.Max(p.floats)
	}
	return float64(rounds*p.size()) / max(speed.CPUTime()-before, 1).Seconds()
}
