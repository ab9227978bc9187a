//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package filelock

import (
	"errors"
	"fmt"
	"os"
)

// Take refuses: without a lock two processes could write over each other.
func Take(*os.File) error {
	return fmt.Errorf("lock file: %w on this system", errors.ErrUnsupported)
}
