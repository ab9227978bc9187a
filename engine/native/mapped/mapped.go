// Package mapped opens files as bytes in memory that are read from the disk when they
// are first looked at, and shared by all processes that look.
//
// It knows nothing of what the bytes mean, and does not write. Where the system or the
// file cannot be mapped (a pipe, a system without mmap) the bytes are read into memory
// instead, which a caller notices by the time it takes only.
//
// Invariant: the bytes stay readable as long as the [File] is reachable and not closed.
// Slices of them do not keep it reachable: whoever keeps a slice keeps the File as well,
// and calls runtime.KeepAlive on it after the last use.
//
// What no program can prevent: someone who shortens the file while it is mapped makes
// the next look at a lost page fatal to the process (SIGBUS), and someone who writes
// into it changes the bytes. Replace such files by renaming a new one over them: the
// mapping then stays with the old one.
package mapped

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
)

// A File is the contents of a file. Its methods may be called concurrently, but Close
// only when nobody looks at the bytes any more.
type File struct {
	data    []byte
	mapped  bool
	cleanup runtime.Cleanup
	once    sync.Once
	err     error // of Close
}

// Open maps a file. The mapping goes when the File is closed, or when it is no longer
// reachable.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written; a mapping outlives its descriptor
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeDevice != 0 { // some of them never end
		return nil, fmt.Errorf("open %s: a device is no file", path)
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return read(f)
	}
	if info.Size() > math.MaxInt {
		return nil, fmt.Errorf("map %s: %d bytes exceed this machine's addresses", path, info.Size())
	}
	data, err := mapFile(f, int(info.Size()))
	if err != nil {
		return read(f)
	}
	out := &File{data: data, mapped: true}
	out.cleanup = runtime.AddCleanup(out, func(data []byte) { _ = unmap(data) }, data)
	return out, nil
}

func read(f *os.File) (*File, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return &File{data: data}, nil
}

// Data returns the contents, which must not be written to.
func (f *File) Data() []byte { return f.data }

// Mapped tells whether the contents are mapped rather than read.
func (f *File) Mapped() bool { return f.mapped }

// Close gives the mapping up at once; slices of it must not be looked at again. A second
// call does nothing.
func (f *File) Close() error {
	f.once.Do(func() {
		data := f.data
		f.data = nil
		if f.mapped {
			f.cleanup.Stop()
			f.err = unmap(data)
		}
	})
	return f.err
}
