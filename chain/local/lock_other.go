//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package local

import (
	"errors"
	"fmt"
	"os"
)

// lock refuses: without a lock two processes could write over each other.
func lock(*os.File) error {
	return fmt.Errorf("lock file: %w on this system", errors.ErrUnsupported)
}
