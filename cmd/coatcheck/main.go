// Command coatcheck operates the sessions of a site, and has a demo of what they do:
//
//	coatcheck demo
//	coatcheck init
//	coatcheck session list
//
// Without arguments it prints what else there is.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func main() {
	root, begun := newRoot(), false
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return
	}
	err = interrupted(err)
	if !begun && slices.Contains(os.Args, "--json") { // the command would have told it, but it was never reached
		t := &tool{Printer: output.Printer{Out: os.Stdout, JSON: true}}
		_ = t.failed(err) // which is told in words, too
	}
	tell(err)
	os.Exit(code(err))
}

// tell writes an error, each mistake on a line of its own. What a server says in it cannot steer the terminal.
func tell(err error) {
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 || strings.HasPrefix(line, "--") {
			line = "coatcheck: " + line
		}
		fmt.Fprintln(os.Stderr, output.Clean(line))
	}
}
