package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// newRoot returns the command line. Each subcommand is a function in a file of its name, which reads flags and leaves
// the work to a package below internal.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:     "coatcheck",
		Short:   "Keep HTTP sessions: a visitor gets a ticket, the server keeps the coat",
		Version: builtFrom(debug.ReadBuildInfo()).String(),
		Example: `  coatcheck demo
  coatcheck init && coatcheck db migrate
  coatcheck session list --user ada`,
		Args: noSuchCommand,
		RunE: help,
		// A failure is one line that says what to do; the list of all flags would hide it.
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate("coatcheck {{.Version}}\n")
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages",
		fmt.Sprint(".FlagUsagesWrapped ", helpWidth)))
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().String("color", output.Auto, "when to use colours: "+strings.Join(colours, ", "))
	completeWith(root, "color", colours...)
	root.AddCommand(newDemo(), newNew(), newInit(), newKey(), newMake(), newDB(), newSession(), newDoctor(), newBench(),
		newMan(), newVersion())
	return root
}

// helpWidth is how many columns a line of help may have.
const helpWidth = 100

// colours are the choices of --color.
var colours = []string{output.Auto, output.Always, output.Never}

// group is a command that only has others below it.
func group(use, short, example string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: example, Args: noSuchCommand, RunE: help}
	cmd.AddCommand(below...)
	return cmd
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noSuchCommand is the argument check of a command that has others below it.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	hint := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage("unknown command %q for %q; %s", args[0], cmd.CommandPath(), hint)
}

// noArguments is the argument check of a command that takes flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("%q: too many arguments; see %s --help", args[0], cmd.CommandPath())
}
