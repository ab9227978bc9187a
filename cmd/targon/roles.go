package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"targon"
	"targon/sign"
	"targon/wallet"
)

// roleFlags are those that every daemon has: Bittensor's, and those of the Python
// original, which are accepted as they were written.
type roleFlags struct {
	chain        chainFlags
	wallet       *walletFlags
	dev          string
	model        string
	data         string
	name         string // of the original; a label in logs
	debug, trace bool
	grace        time.Duration
}

// daemonCall is the longest call of a daemon to the chain, repeats included.
const daemonCall = time.Minute

func bindRole(cmd *cobra.Command, role string) *roleFlags {
	r := bindBare(cmd, role)
	r.chain.bindEndpoint(cmd)
	r.chain.timeout = daemonCall
	cmd.Flags().StringVar(&r.data, "data", "", "`folder` of what must outlive the process (default ~/.targon/"+role+"/NETUID-HOTKEY)")
	return r
}

// bindBare adds the flags of a role that talks to no chain and keeps nothing.
func bindBare(cmd *cobra.Command, role string) *roleFlags {
	r := &roleFlags{wallet: bindWallet(cmd)}
	f := cmd.Flags()
	f.Uint16Var(&r.chain.netuid, "netuid", 4, "the subnet's `number`")
	r.wallet.bindPassword(cmd)
	f.StringVar(&r.dev, "wallet.dev", "", "a development `key` such as //Alice instead of a wallet's hotkey")
	f.StringVar(&r.model, "model", "", "GGUF `file`; the built-in model when empty")
	f.StringVar(&r.name, "neuron.name", role, "a `label` for logs")
	f.BoolVar(&r.debug, "logging.debug", false, "log more")
	f.BoolVar(&r.trace, "logging.trace", false, "log everything")
	f.DurationVar(&r.grace, "grace", 30*time.Second, "`time` for what is under way when told to end")
	return r
}

// logger writes to standard error.
func (r *roleFlags) logger(cmd *cobra.Command) *slog.Logger {
	level := slog.LevelInfo
	switch {
	case r.trace:
		level = slog.LevelDebug - 4
	case r.debug:
		level = slog.LevelDebug
	}
	h := slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level})
	return slog.New(h).With("neuron", r.name)
}

// key opens the hotkey. Daemons never open a coldkey.
func (r *roleFlags) key(cmd *cobra.Command, o walletOutside) (*sign.Key, error) {
	if r.dev != "" {
		k, err := wallet.Dev(r.dev)
		if err != nil {
			return nil, err
		}
		return k.Signer(), nil
	}
	w, err := r.wallet.at(o)
	if err != nil {
		return nil, err
	}
	return w.LoadHotkey(r.wallet.passwords(cmd.Context(), o))
}

// folder returns where the role keeps what must outlive it.
func (r *roleFlags) folder(role string, h targon.Hotkey) (string, error) {
	if r.data != "" {
		return r.data, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for the %s's state: %w (--data)", role, err)
	}
	return filepath.Join(home, ".targon", role, strconv.Itoa(int(r.chain.netuid))+"-"+h.String()), nil
}

// axonFlags are Bittensor's.
type axonFlags struct {
	ip, external       string
	port, externalPort uint16
}

func bindAxon(cmd *cobra.Command) *axonFlags {
	a := &axonFlags{}
	f := cmd.Flags()
	f.StringVar(&a.ip, "axon.ip", "", "`address` to listen on (default: every one)")
	f.Uint16Var(&a.port, "axon.port", 8091, "`port` to listen on; 0 takes a free one")
	f.StringVar(&a.external, "axon.external_ip", "", "`address` where others reach it (default: --axon.ip)")
	f.Uint16Var(&a.externalPort, "axon.external_port", 0, "`port` where others reach it (default: --axon.port)")
	return a
}

// listen returns the address to bind to and what to announce instead of it, whose
// zero parts mean the same.
func (a *axonFlags) listen() (string, netip.AddrPort, error) {
	var external netip.Addr
	bind := a.ip
	if bind == "[::]" || bind == "::" {
		bind = ""
	}
	if bind != "" {
		if _, err := netip.ParseAddr(bind); err != nil {
			return "", netip.AddrPort{}, fmt.Errorf("--axon.ip %q: want an IP address", a.ip)
		}
	}
	switch ip, err := netip.ParseAddr(a.external); {
	case a.external != "" && (err != nil || ip.IsUnspecified()):
		return "", netip.AddrPort{}, fmt.Errorf("--axon.external_ip %q: want the IP address where others reach it", a.external)
	case a.external != "":
		external = ip
	case bind == "" || bind == "0.0.0.0":
		return "", netip.AddrPort{}, errors.New("name the address where others reach this machine with --axon.external_ip, it is not guessed")
	}
	return hostPort(bind, a.port), netip.AddrPortFrom(external, a.externalPort), nil
}
