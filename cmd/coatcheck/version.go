package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and whether it was changed",
		Long: `Print the version of the module, the commit that the program was built from, whether files were
changed since ("dirty"), and the version of Go. A program that was built outside a repository, or
installed by "go install", does not know its commit: the version stands for it.`,
		Example: "  coatcheck version\n  coatcheck --version",
		Args:    noArguments,
	}
	plain(cmd, func(_ context.Context, t *tool, _ []string) error {
		b := builtFrom(debug.ReadBuildInfo())
		return t.Value(b, func(w io.Writer) { fmt.Fprintln(w, "coatcheck", b) })
	})
	return cmd
}

// build is what the toolchain wrote into the binary, so that no release has to remember it.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Time    string `json:"time,omitempty"` // of the commit
	Dirty   bool   `json:"dirty"`
	Go      string `json:"go,omitempty"`
}

// version is that of the module.
func version() string { return builtFrom(debug.ReadBuildInfo()).Version }

func builtFrom(info *debug.BuildInfo, ok bool) build {
	if !ok {
		return build{Version: "(devel)"}
	}
	b := build{Version: cmp.Or(info.Main.Version, "(devel)"), Go: info.GoVersion}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Dirty = setting.Value == "true"
		}
	}
	return b
}

func (b build) String() string {
	var more []string
	if b.Commit != "" {
		more = append(more, "commit "+b.Commit[:min(len(b.Commit), 12)])
	}
	if b.Dirty {
		more = append(more, "dirty")
	}
	if more = append(more, b.Go); b.Go == "" {
		more = more[:len(more)-1]
	}
	if len(more) == 0 {
		return b.Version
	}
	return fmt.Sprintf("%s (%s)", b.Version, strings.Join(more, ", "))
}
