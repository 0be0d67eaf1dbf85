//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// firstCommand is the program of the first command that README.md names.
const firstCommand = "github.com/coatcheck/session/cmd/demo"

// onlyHTTP imports net/http alone.
const onlyHTTP = `package main

import "net/http"

func main() { _ = http.ListenAndServe("127.0.0.1:0", nil) }
`

// compileTime is how many times longer it takes to compile what README.md runs first than a program that imports
// net/http alone, each with an empty cache.
func compileTime(ctx context.Context) (ratio float64, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(onlyHTTP), 0o600); err != nil {
		return 0, err
	}
	bare, err := compile(ctx, dir, file)
	first, err2 := compile(ctx, dir, firstCommand)
	return float64(first) / float64(bare), cmp.Or(err, err2)
}

func compile(ctx context.Context, dir, what string) (time.Duration, error) {
	cache, err := os.MkdirTemp(dir, "cache")
	if err != nil {
		return 0, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(cache, "program"), what)
	build.Env = append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=")
	begun := time.Now()
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build %s: %w: %s", what, err, out)
	}
	return time.Since(begun), nil
}
