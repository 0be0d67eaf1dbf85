//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench starts its servers on Linux only")
	os.Exit(1)
}
