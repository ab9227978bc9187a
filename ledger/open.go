package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"targon/filelock"
)

// Option changes how Open works.
type Option func(*File)

// WithLog tells Open where to report a tail that it had to cut off.
func WithLog(log *slog.Logger) Option { return func(f *File) { f.log = log } }

// Open opens the ledger at path, or creates it, readable by its owner only, and
// holds it until Close.
//
// A tail that a crash left half-written is copied to path.torn-N, cut off, and
// reported to the logger: it was never acknowledged. Damage with intact
// frames behind it is something else, and Open refuses it without changing a byte.
func Open(path string, options ...Option) (*File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	f, err := open(file, path, options)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

func open(file *os.File, path string, options []Option) (*File, error) {
	if err := filelock.Take(file); errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("ledger %s %w", path, err)
	} else if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open ledger: %s is not a regular file", path)
	}
	f := newFile(file, path)
	for _, o := range options {
		o(f)
	}
	created, err := f.load(info.Size(), func(tail io.Reader) (string, error) { return keep(path, tail) })
	if err != nil {
		return nil, err
	}
	if created {
		if err := syncDir(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("create ledger %s: %w", path, err)
		}
	}
	return f, nil
}

// load reads a disk of the given size, repairs what a crash may leave behind, and
// makes the File ready to append. It reports whether it wrote a new header.
func (f *File) load(size int64, keep func(io.Reader) (string, error)) (created bool, err error) {
	head := make([]byte, min(size, headerLen))
	if _, err := f.disk.ReadAt(head, 0); err != nil && len(head) > 0 {
		return false, fmt.Errorf("read ledger %s: %w", f.path, err)
	}
	if bytes.HasPrefix(header(), head) && len(head) < headerLen {
		return true, f.create() // empty, or a crash came while it was created
	}
	if len(head) < headerLen {
		return false, fmt.Errorf("%w: %s does not begin like a ledger", ErrDamaged, f.path)
	}
	if err := checkHeader(head); err != nil {
		return false, fmt.Errorf("%w: %s %w", ErrDamaged, f.path, err)
	}
	s := newScanner(f.disk, size)
	for err == nil {
		_, err = s.next()
	}
	f.end, f.sequence = s.offset, s.sequence
	switch {
	case errors.Is(err, io.EOF) && s.offset == size:
		return false, nil
	case errors.Is(err, errFrame):
		return false, f.cut(size, keep)
	default:
		return false, fmt.Errorf("read ledger %s at byte %d: %w", f.path, s.offset, err)
	}
}

func (f *File) create() error {
	_, err := f.disk.WriteAt(header(), 0)
	if err == nil {
		err = f.disk.Sync()
	}
	if err != nil {
		return fmt.Errorf("create ledger %s: %w", f.path, err)
	}
	f.end, f.sequence = headerLen, 1
	return nil
}

// cut takes off a torn tail, or refuses when intact frames lie behind the damage.
//
// A frame is written only after the one before it is on disk, so a crash can tear
// the last frame and no other.
func (f *File) cut(size int64, keep func(io.Reader) (string, error)) error {
	next, err := findIntact(f.disk, f.end, size, f.sequence)
	if err != nil {
		return fmt.Errorf("read ledger %s: %w", f.path, err)
	}
	if next >= 0 {
		return fmt.Errorf("%w: %s at byte %d, where frame %d should be, with an intact frame at byte %d; nothing was changed: "+
			"restore a copy; do not cut the file, weights that were set from it could not be explained",
			ErrDamaged, f.path, f.end, f.sequence, next)
	}
	kept, err := keep(io.NewSectionReader(f.disk, f.end, size-f.end))
	if err != nil {
		return fmt.Errorf("keep torn tail of ledger %s: %w", f.path, err)
	}
	if err := f.disk.Truncate(f.end); err != nil {
		return fmt.Errorf("cut torn tail of ledger %s: %w", f.path, err)
	}
	if err := f.disk.Sync(); err != nil {
		return fmt.Errorf("cut torn tail of ledger %s: %w", f.path, err)
	}
	f.log.Warn("cut a torn tail off the ledger", "path", f.path, "offset", f.end, "bytes", size-f.end, "kept", kept)
	return nil
}

// keep copies a torn tail to the first free path.torn-N.
func keep(path string, tail io.Reader) (string, error) {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.torn-%d", path, n)
		out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = io.Copy(out, tail)
		if err == nil {
			err = out.Sync()
		}
		if err = errors.Join(err, out.Close()); err == nil {
			err = syncDir(filepath.Dir(name))
		}
		return name, err
	}
}

// syncDir makes a new name in a directory survive a power failure.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
