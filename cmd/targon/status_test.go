package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"targon/chain/subtensor"
	"targon/ledger"
	"targon/node"
)

// TestExitStatus: what a supervisor need not try again says so.
func TestExitStatus(t *testing.T) {
	path := func(err error) error { return fmt.Errorf("open: %w", &fs.PathError{Op: "open", Path: "x", Err: err}) }
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"done":                        {nil, exitOK},
		"a fault":                     {errors.New("x"), exitFault},
		"a flag":                      {usage(errors.New("x")), exitUsage},
		"no slot":                     {usage(node.ErrUnregistered), exitUnregistered},
		"damaged":                     {usage(ledger.ErrDamaged), exitLedger},
		"another's folder":            {node.ErrFolder, exitLedger},
		"no such subnet":              {fmt.Errorf("read: %w", subtensor.ErrNetwork), exitUsage},
		"a full disk":                 {path(syscall.ENOSPC), exitFault},
		"a broken disk":               {path(syscall.EIO), exitFault},
		"somebody else's":             {path(syscall.EACCES), exitUsage},
		"not there":                   {path(syscall.ENOENT), exitUsage},
		"not a folder":                {path(syscall.ENOTDIR), exitUsage},
		"a folder":                    {path(syscall.EISDIR), exitUsage},
		"for reading only":            {path(syscall.EROFS), exitUsage},
		"a firewall":                  {fmt.Errorf("dial: %w", syscall.EACCES), exitFault},
		"interrupted":                 {fmt.Errorf("check: %w", context.Canceled), exitFault},
		"interrupted at a flag":       {usage(context.Canceled), exitFault},
		"a wallet's, and interrupted": {walletFault(context.Canceled), exitFault},
	} {
		if got := exitStatus(c.err, true); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := exitStatus(errors.New("x"), false); got != exitUsage {
		t.Errorf("before a command begins: %d", got)
	}
}
