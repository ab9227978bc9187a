//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks a file until it is closed; it does not wait.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
