// Package filelock lets one process at a time have a file.
//
// It waits for nobody and keeps no record: the kernel holds the lock, and what it means is
// for whoever takes it.
//
// Invariant: a process that has ended, however it did, holds no lock.
package filelock

import "errors"

// ErrHeld means that another process, or another opening of the file, has the lock.
var ErrHeld = errors.New("is in use by another process")
