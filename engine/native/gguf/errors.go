package gguf

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat is the root of every failure to read or write a file or a block.
	ErrFormat = errors.New("gguf")
	// ErrTruncated means that the file ends before what it promises; it is an
	// ErrFormat.
	ErrTruncated = errors.New("truncated")
	// ErrUnsupported means that the file may be sound but is of a version or a
	// tensor type that this package does not read; it is an ErrFormat.
	ErrUnsupported = errors.New("unsupported")
)

// A formatError says what is wrong and with which key or tensor.
type formatError struct {
	kind error // ErrTruncated, ErrUnsupported or nil
	what string
}

func (e *formatError) Error() string { return "gguf: " + e.what }

func (e *formatError) Is(target error) bool {
	return target == ErrFormat || e.kind != nil && target == e.kind
}

func malformed(format string, args ...any) error {
	return &formatError{what: fmt.Sprintf(format, args...)}
}

func truncated(format string, args ...any) error {
	return &formatError{kind: ErrTruncated, what: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &formatError{kind: ErrUnsupported, what: fmt.Sprintf(format, args...)}
}

// brief quotes a name from a file so that it fits on a line of a log.
func brief(name string) string {
	if len(name) > 80 {
		return fmt.Sprintf("%.80q...", name)
	}
	return fmt.Sprintf("%q", name)
}
