package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the part of docs/cli.md that the commands say")

var page = filepath.Join("..", "..", "docs", "cli.md")

// mark is where the written part of the page ends.
const mark = "## Every command\n"

func TestThePageSaysWhatTheCommandsSay(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, _, found := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), mark)
	if !found {
		t.Fatalf("docs/cli.md has no %q", mark)
	}
	want := written + mark + commandsText(newRoot())
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.ReplaceAll(string(text), "\r\n", "\n"); got != want && !*update {
		t.Error("docs/cli.md is not what the commands say; run go test -run ThePage -update . in cmd/coatcheck")
	}
}

// each calls fn for every command that people run.
func each(cmd *cobra.Command, fn func(*cobra.Command)) {
	if cmd.Name() == "help" || cmd.Hidden {
		return
	}
	fn(cmd)
	for _, below := range cmd.Commands() {
		each(below, fn)
	}
}

func commandsText(root *cobra.Command) string {
	var b strings.Builder
	each(root, func(cmd *cobra.Command) {
		if cmd.HasSubCommands() {
			return
		}
		about := cmd.Long
		if about == "" {
			about = cmd.Short + "."
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", cmd.CommandPath(), about)
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			fmt.Fprintf(&b, "    %s\n", strings.TrimSpace(line))
		}
		b.WriteString("\n| flag | |\n|---|---|\n")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				fmt.Fprintf(&b, "| `--%s` | %s |\n", f.Name, strings.ReplaceAll(f.Usage, "|", "\\|"))
			}
		})
	})
	return b.String()
}

func TestEveryCommandHasAnExampleAndJSON(t *testing.T) {
	each(newRoot(), func(cmd *cobra.Command) {
		if !strings.Contains(cmd.Example, "coatcheck") {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the short text is %q, want one without a full stop", cmd.CommandPath(), cmd.Short)
		}
		// demo runs until it is stopped, and says where it listens.
		if !cmd.HasSubCommands() && cmd.Name() != "demo" && cmd.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", cmd.CommandPath())
		}
	})
}

func TestHelpFitsOnAScreen(t *testing.T) {
	each(newRoot(), func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		for line := range strings.SplitSeq(cmd.Long+"\n"+cmd.UsageString(), "\n") {
			if n := utf8.RuneCountInString(line); n > helpWidth {
				t.Errorf("%s --help has a line of %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
	})
}

func TestEveryCommandHasAScript(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	each(newRoot(), func(cmd *cobra.Command) {
		if !cmd.HasSubCommands() && cmd.Name() != "demo" && !strings.Contains(all.String(), "\n"+cmd.CommandPath()) {
			t.Errorf("no script runs %s", cmd.CommandPath())
		}
	})
}
