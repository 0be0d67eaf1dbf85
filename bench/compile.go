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

// firstCommand is the program of the first command that README.md names, seen from here.
const firstCommand = "../cmd/demo"

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
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(onlyHTTP), 0o600); err != nil {
		return 0, err
	}
	bare, err := compile(ctx, dir, dir, "main.go")
	first, err2 := compile(ctx, dir, firstCommand, ".")
	return float64(first) / float64(bare), cmp.Or(err, err2)
}

func compile(ctx context.Context, temp, dir, what string) (time.Duration, error) {
	cache, err := os.MkdirTemp(temp, "cache")
	if err != nil {
		return 0, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(cache, "program"), what)
	build.Dir = dir
	build.Env = append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=", "GOWORK=")
	begun := time.Now()
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build in %s: %w: %s", dir, err, out)
	}
	return time.Since(begun), nil
}
