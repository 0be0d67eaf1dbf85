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
	"strings"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func main() {
	root := newRoot()
	_, err := root.ExecuteContextC(context.Background())
	if err == nil {
		return
	}
	err = interrupted(err)
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
