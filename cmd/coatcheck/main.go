// Command coatcheck shows what the session library does, on a small site to click through:
//
//	coatcheck demo
//
// Without arguments it prints what else there is.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := newRoot().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "coatcheck:", err)
		os.Exit(1)
	}
}
