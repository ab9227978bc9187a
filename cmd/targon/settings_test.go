package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestSettled: the command line comes before the environment, and that before the file.
func TestSettled(t *testing.T) {
	for name, c := range map[string]struct {
		file, want string
		env        map[string]string
		args       []string
		err        string
	}{
		"defaults":       {want: "0 here []"},
		"file":           {file: "axon:\n  port: 1\nplace: there\nkeys: [a, b]\n", want: "1 there [a b]"},
		"dotted keys":    {file: "axon.port: 1\nkeys: a\n", want: "1 here [a]"},
		"environment":    {file: "axon: {port: 1}", env: map[string]string{"TARGON_AXON_PORT": "2"}, want: "2 here []"},
		"command line":   {file: "axon: {port: 1}", env: map[string]string{"TARGON_AXON_PORT": "2"}, args: []string{"--axon.port", "3"}, want: "3 here []"},
		"empty file":     {file: "# nothing\n", want: "0 here []"},
		"unknown key":    {file: "axon:\n  prot: 1\n", err: `unknown key "axon.prot"`},
		"config in it":   {file: "config: x", err: `unknown key "config"`},
		"help in it":     {file: "help: true", err: `unknown key "help"`},
		"bad value":      {file: "axon: {port: many}", err: "key axon.port: "},
		"no value":       {file: "place:", err: "key place: has no value"},
		"list for one":   {file: "place: [a, b]", err: "key place: want one value, not a list"},
		"map for one":    {file: "keys: [{a: b}]", err: "key keys: want one value, not several"},
		"level for one":  {file: "place: {a: b}", err: `unknown key "place.a"`},
		"not YAML":       {file: "axon: [", err: "config "},
		"in both forms":  {file: "axon.port: 1\naxon: {port: 2}\n", err: "key axon.port is there twice"},
		"too long":       {file: "place: " + strings.Repeat("x", 1<<20), err: "more than 1048576 bytes"},
		"twice":          {file: "place: a\nplace: b\n", err: "config "},
		"bad variable":   {env: map[string]string{"TARGON_AXON_PORT": "x"}, err: "TARGON_AXON_PORT: "},
		"missing file":   {env: map[string]string{"TARGON_CONFIG": "nowhere.yaml"}, err: "config nowhere.yaml: "},
		"not a mapping":  {file: "- a\n", err: "config "},
		"empty variable": {env: map[string]string{"TARGON_PLACE": ""}, want: "0  []"},
	} {
		t.Run(name, func(t *testing.T) {
			var port uint16
			var place string
			var keys []string
			cmd := &cobra.Command{Use: "x", SilenceErrors: true, SilenceUsage: true, RunE: func(*cobra.Command, []string) error { return nil }}
			cmd.Flags().Uint16Var(&port, "axon.port", 0, "")
			cmd.Flags().StringVar(&place, "place", "here", "")
			cmd.Flags().StringArrayVar(&keys, "keys", nil, "")
			settled(cmd, func(n string) (string, bool) { v, ok := c.env[n]; return v, ok })
			args := c.args
			if c.file != "" {
				path := filepath.Join(t.TempDir(), "c.yaml")
				if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--config", path)
			}
			cmd.SetArgs(append([]string{}, args...))
			err := cmd.Execute()
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("%v, want %q", err, c.err)
			}
			if got := strings.TrimSpace(strings.Join([]string{itoa(port), place, "[" + strings.Join(keys, " ") + "]"}, " ")); err == nil && got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func itoa(n uint16) string { return strings.TrimPrefix(hostPort("", n), ":") }
