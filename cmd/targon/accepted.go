package main

import (
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// acceptedFlags are flags of the Python original that mean nothing here. They are
// accepted, so that its commands can be copied, and said to be without effect.
type acceptedFlags struct{ names []string }

// bindDatabase adds the flags of the original's Redis.
func (a *acceptedFlags) bindDatabase(cmd *cobra.Command) {
	f := cmd.Flags()
	for _, name := range []string{"database.host", "database.port", "database.index", "database.password"} {
		f.String(name, "", "accepted, without effect: there is no database")
		f.Lookup(name).Hidden = true
		a.names = append(a.names, name)
	}
}

// warn names those that were given.
func (a *acceptedFlags) warn(cmd *cobra.Command, log *slog.Logger) {
	var given []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, name := range a.names {
			if f.Name == name {
				given = append(given, "--"+name)
			}
		}
	})
	if len(given) > 0 {
		log.Warn("without effect: there is no database, what must last is in the folder of --data", "flags", strings.Join(given, " "))
	}
}
