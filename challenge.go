package targon

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is 32 bytes that never reach a log, a metric or a page: every way of
// printing it gives "[secret]".
type Secret [32]byte

// Format hides the bytes from every verb, %d and %x included.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// String hides the bytes.
func (Secret) String() string { return "[secret]" }

// GoString hides the bytes.
func (Secret) GoString() string { return "[secret]" }

// LogValue hides the bytes.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the bytes.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Draft is a request before it is addressed: what is asked, not yet of whom, and
// without the seed and salt that only the verifier can make.
type Draft struct {
	Model       string
	Prompt      []TokenID
	Temperature float64
	TopK        uint32 // as in Sampling, like the two that follow
	TopP        float64
	MinP        float64
	MaxTokens   uint32
}
