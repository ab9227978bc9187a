package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// configFlag names the configuration file of a daemon.
const configFlag = "config"

// settled lets every flag of a daemon be set by a variable or a file as well: the
// command line comes before the environment, and that before the file. The keys of
// the file are the names of the flags, their dots being levels or not; a key that is
// no flag is refused, so that a slip of the pen does not go unnoticed.
func settled(cmd *cobra.Command, lookup func(string) (string, bool)) {
	cmd.Flags().String(configFlag, "", "YAML `file` whose keys are the names of these flags (also TARGON_CONFIG)")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := settle(cmd.Flags(), lookup); err != nil {
			return usage(err)
		}
		return run(cmd, args)
	}
}

// variable is a flag's name in the environment: --axon.port is TARGON_AXON_PORT.
func variable(flag string) string {
	return "TARGON_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}

// settle sets the flags that were not given.
func settle(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	given := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		value, ok := lookup(variable(f.Name))
		if !ok || given[f.Name] || f.Name == "help" || failed != nil {
			return
		}
		given[f.Name] = true
		if err := flags.Set(f.Name, value); err != nil {
			failed = fmt.Errorf("%s: %w", variable(f.Name), err)
		}
	})
	if failed != nil {
		return failed
	}
	path := flags.Lookup(configFlag).Value.String()
	if path == "" {
		return nil
	}
	if err := settleFromFile(flags, given, path); err != nil {
		return fmt.Errorf("config %s: %w", path, err)
	}
	return nil
}

// fileBytes hands koanf a file that was read.
type fileBytes []byte

// ReadBytes returns the file.
func (b fileBytes) ReadBytes() ([]byte, error) { return b, nil }

// Read is not how a file is read.
func (fileBytes) Read() (map[string]any, error) { return nil, errors.New("read as bytes") }

func settleFromFile(flags *pflag.FlagSet, given map[string]bool, path string) error {
	data, err := readConfig(path)
	if err != nil {
		return err
	}
	k := koanf.New(".")
	if err := k.Load(fileBytes(data), yaml.Parser()); err != nil {
		return err
	}
	all := k.All()
	// Of axon.port and port below axon one would win, and not always the same.
	if twice := flatTwice(k.Raw()); twice != "" {
		return fmt.Errorf("key %s is there twice: with dots and as levels", twice)
	}
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		f := flags.Lookup(key)
		if f == nil || key == configFlag || key == "help" {
			return fmt.Errorf("unknown key %q: keys are the names of the flags, see --help", key)
		}
		if given[key] {
			continue
		}
		if err := setAll(flags, key, all[key]); err != nil {
			return fmt.Errorf("key %s: %w", key, err)
		}
	}
	return nil
}

// maxConfig bounds a configuration file; there are some forty keys.
const maxConfig = 1 << 20

func readConfig(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("more than %d bytes", maxConfig)
	}
	return data, err
}

// flatTwice returns a key that a document has twice, its dots being levels or not; empty
// if there is none.
func flatTwice(document map[string]any) string {
	seen := map[string]bool{}
	twice := ""
	var walk func(prefix string, level map[string]any)
	walk = func(prefix string, level map[string]any) {
		for key, value := range level {
			if below, ok := value.(map[string]any); ok && len(below) > 0 {
				walk(prefix+key+".", below)
				continue
			}
			if seen[prefix+key] && (twice == "" || prefix+key < twice) {
				twice = prefix + key
			}
			seen[prefix+key] = true
		}
	}
	walk("", document)
	return twice
}

// setAll sets a flag to a value of the file, which may be a list where the flag may be
// repeated.
func setAll(flags *pflag.FlagSet, name string, value any) error {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	} else if _, repeatable := flags.Lookup(name).Value.(pflag.SliceValue); !repeatable {
		return errors.New("want one value, not a list")
	}
	for _, v := range list {
		switch v.(type) {
		case nil:
			return errors.New("has no value")
		case map[string]any, []any:
			return errors.New("want one value, not several")
		}
		if err := flags.Set(name, fmt.Sprint(v)); err != nil {
			return err
		}
	}
	return nil
}
