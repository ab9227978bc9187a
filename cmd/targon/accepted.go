package main

import (
	"log/slog"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// acceptedFlags are flags of the Python original that mean nothing here. They are
// accepted, so that its commands can be copied, and said to be without effect.
type acceptedFlags struct{ why map[string]string }

func (a *acceptedFlags) bind(cmd *cobra.Command, why string, names ...string) {
	if a.why == nil {
		a.why = map[string]string{}
	}
	for _, name := range names {
		cmd.Flags().String(name, "", "accepted, without effect: "+why)
		cmd.Flags().Lookup(name).Hidden = true
		a.why[name] = why
	}
}

// bindDatabase adds the flags of the original's Redis.
func (a *acceptedFlags) bindDatabase(cmd *cobra.Command) {
	a.bind(cmd, "there is no database, what must last is in the folder of --data",
		"database.host", "database.port", "database.index", "database.password")
}

// bindAxon adds those of the axon that the original's verifiers served.
func (a *acceptedFlags) bindAxon(cmd *cobra.Command) {
	a.bind(cmd, "a verifier serves no axon", "axon.ip", "axon.port", "axon.external_ip", "axon.external_port")
}

// warn names those that were given.
func (a *acceptedFlags) warn(cmd *cobra.Command, log *slog.Logger) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if why := a.why[f.Name]; why != "" {
			log.WarnContext(cmd.Context(), "flag without effect", "flag", "--"+f.Name, "why", why)
		}
	})
}
