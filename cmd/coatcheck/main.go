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
	"errors"
	"fmt"
	"os"
	"strings"
)

func main() {
	root := newRoot()
	_, err := root.ExecuteContextC(context.Background())
	if err == nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(os.Stderr, "coatcheck:", strings.ReplaceAll(err.Error(), "\n--", "\ncoatcheck: --"))
	os.Exit(code(err))
}
