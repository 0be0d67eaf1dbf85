package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// newRoot returns the command line. Each subcommand is a function in a file of its name, which reads flags and leaves the
// work to a package below internal.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:     "coatcheck",
		Short:   "Keep HTTP sessions: a visitor gets a ticket, the server keeps the coat",
		Version: version(),
		// A failure is one line that says what to do; the list of all flags would hide it.
		SilenceUsage:  true,
		SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{
			HiddenDefaultCmd: true,
		},
	}
	root.AddCommand(newDemo(), newVersion())
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "coatcheck", version())
			return err
		},
	}
}

// version is what the toolchain wrote into the binary, so that no release has to remember it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
