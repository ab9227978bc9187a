package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write docs/COMMANDS.md anew")

// TestCommandsPage holds docs/COMMANDS.md to what every command says about itself:
// no flag is there that the page does not have, and none on the page that is gone.
func TestCommandsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString("# Commands\n\nWhat `targon COMMAND --help` says of every command and flag; `go test ./cmd/targon -run CommandsPage -update` writes it.\n")
	root := newRoot(time.Time{})
	contents(&page, root)
	if err := helps(&page, root); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "COMMANDS.md")
	if *update {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(kept), "\n"), strings.Split(page.String(), "\n")); d != "" {
		t.Errorf("docs/COMMANDS.md is of other commands; -update writes it anew (-page +commands):\n%s", d)
	}
}

// contents lists the commands that do something, with links to their parts.
func contents(page *strings.Builder, of *cobra.Command) {
	page.WriteByte('\n')
	each(of, func(c *cobra.Command) {
		path := c.CommandPath()
		fmt.Fprintf(page, "* [`%s`](#%s): %s\n", path, strings.ReplaceAll(path, " ", "-"), c.Short)
	})
}

func helps(page *strings.Builder, of *cobra.Command) error {
	var err error
	each(of, func(c *cobra.Command) {
		var help strings.Builder
		c.SetOut(&help)
		if e := c.Help(); e != nil {
			err = e
		}
		fmt.Fprintf(page, "\n## %s\n\n```text\n", c.CommandPath())
		for line := range strings.Lines(help.String()) {
			page.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
		page.WriteString("```\n")
	})
	return err
}

// each walks the commands that can be run, in the order in which help lists them.
func each(of *cobra.Command, f func(*cobra.Command)) {
	for _, c := range of.Commands() {
		if c.IsAvailableCommand() && len(c.Commands()) == 0 {
			f(c)
		}
		each(c, f)
	}
}
