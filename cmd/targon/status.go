package main

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"targon/chain/subtensor"
	"targon/ledger"
	"targon/node"
	"targon/verifier"
)

// Exit statuses, for whoever decides about starting again. docs/OPERATING.md has them
// as a table.
const (
	exitOK           = 0 // done, or ended as it was told to
	exitFault        = 1 // may pass: the chain is away, a port is taken
	exitUsage        = 2 // the same command will fail again: flags, config, files that it names
	exitUnregistered = 3 // the hotkey has no slot on the subnet
	exitLedger       = 4 // what must last is damaged, or contradicts itself
)

// exitStatuses is the daemons' help.
const exitStatuses = `Exit status: 0 ended as told; 1 a fault that may pass, start it again; 2 flags, config or files are not in order;
3 the hotkey has no slot on the subnet; 4 the ledger is damaged or not this verifier's. One line on stderr says which.`

// usageError is an error that only another command line, or another file, can mend.
type usageError struct{ error }

// Unwrap returns the reason.
func (e usageError) Unwrap() error { return e.error }

// usage marks an error so; nil stays nil.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// unusable reports whether a file or folder is not there for this user to write, which
// trying again does not change. A disk that is full may be emptied.
func unusable(err error) bool {
	path, ok := errors.AsType[*fs.PathError](err)
	return ok && (errors.Is(path, fs.ErrPermission) || errors.Is(path, fs.ErrNotExist) ||
		errors.Is(path, syscall.ENOTDIR) || errors.Is(path, syscall.EISDIR) || errors.Is(path, syscall.EROFS))
}

// exitStatus is what the process ends with. An error that came before the command
// began to run is about the command line.
func exitStatus(err error, began bool) int {
	switch _, isUsage := errors.AsType[usageError](err); {
	case err == nil:
		return exitOK
	case errors.Is(err, node.ErrUnregistered):
		return exitUnregistered
	case errors.Is(err, ledger.ErrDamaged), errors.Is(err, verifier.ErrLedger), errors.Is(err, verifier.ErrRoot), errors.Is(err, node.ErrFolder):
		return exitLedger
	case errors.Is(err, context.Canceled): // told to end
		return exitFault
	case isUsage, !began, errors.Is(err, subtensor.ErrNetwork), unusable(err):
		return exitUsage
	}
	return exitFault
}
