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
	var bare, first time.Duration
	for range 2 { // the faster of two: something else may want the processors in the middle of one
		b, err := compile(ctx, dir, dir, "main.go")
		f, err2 := compile(ctx, dir, firstCommand, ".")
		if err := cmp.Or(err, err2); err != nil {
			return 0, err
		}
		bare, first = faster(bare, b), faster(first, f)
	}
	return float64(first) / float64(bare), nil
}

// faster is the shorter of two times; 0 is none.
func faster(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
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
