//go:build unix

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coatcheck/session/internal/tools/mutants/mutant"
)

// A target is a package whose tests are run.
type target struct {
	folder       string
	only         *regexp.Regexp // nil: all tests
	forMutantsOf []string       // other mutants are not worth its time; nil: whatever it imports
	binary       string
}

// A test is one test, example or fuzz function with its seeds, and the mutants that it reaches.
type test struct {
	Target  string // the folder
	Name    string
	Took    time.Duration
	Reached []int
	Failed  bool // with no mutant in force: it measures what the rewriting changes, or needs what is not here
}

// narrow leaves the targets that can reach mutants of these folders.
func (r *runner) narrow(ctx context.Context, folders []string) error {
	args := []string{"list", "-test", "-f", `{{.ImportPath}} {{join .Deps " "}}`}
	for _, t := range r.targets {
		args = append(args, "./"+t.folder)
	}
	cmd := command(ctx, "go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = r.root, workspace(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("list the packages of the tests: %w", err)
	}
	imports := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		imports[words[0]] = words
	}
	r.targets = slices.DeleteFunc(slices.Clone(r.targets), func(t target) bool {
		return !slices.ContainsFunc(folders, func(folder string) bool {
			worth := t.forMutantsOf == nil || slices.Contains(t.forMutantsOf, folder)
			return worth && slices.Contains(imports[importPath(t.folder)+".test"], importPath(folder))
		})
	})
	return nil
}

func importPath(folder string) string { return path.Join(module, folder) }

// build builds the test binaries of all targets from the rewritten code.
func (r *runner) build(ctx context.Context, overlay string) error {
	dir := filepath.Join(r.work, hidden)
	// Vet would look for the package that only the overlay has.
	args := []string{"test", "-c", "-vet=off", "-overlay", overlay, "-o", dir + string(filepath.Separator)}
	for i, t := range r.targets {
		args = append(args, "./"+t.folder)
		r.targets[i].binary = filepath.Join(dir, path.Base(importPath(t.folder))+".test")
	}
	cmd := command(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = r.root, os.Stderr
	cmd.Env = append(workspace(), "GOCACHE="+cmp.Or(r.cache, filepath.Join(dir, "cache")), "GOTMPDIR="+dir)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the tests: %w", err)
	}
	return nil
}

// A known is what the last run has learned, and the sum of the binaries that it holds for.
type known struct {
	Binaries []byte
	Tests    []test
}

// reach runs every test by itself, with no mutant in force, and notes what it reaches, unless that is known of the same
// binaries.
func (r *runner) reach(ctx context.Context) ([]test, error) {
	sum := sha256.New()
	for _, t := range r.targets {
		binary, err := os.ReadFile(t.binary)
		if err != nil {
			return nil, err
		}
		sum.Write(binary)
	}
	name := filepath.Join(r.work, "reach.json")
	var last known
	if text, err := os.ReadFile(name); err == nil && json.Unmarshal(text, &last) == nil &&
		bytes.Equal(last.Binaries, sum.Sum(nil)) {
		return last.Tests, nil
	}
	tests, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	r.each(ctx, len(tests), func(i int) { r.try(ctx, &tests[i]) })
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	text, err := json.Marshal(known{sum.Sum(nil), tests})
	if err != nil {
		return nil, err
	}
	return tests, os.WriteFile(name, text, 0o600)
}

// list asks the binaries for their tests.
func (r *runner) list(ctx context.Context) ([]test, error) {
	var tests []test
	for _, t := range r.targets {
		// explore wants to be told which to run
		out, err := command(ctx, t.binary, "-test.list=.", "-test.run=.").Output()
		if err != nil {
			return nil, fmt.Errorf("list the tests of %s: %w", t.folder, err)
		}
		for name := range strings.FieldsSeq(string(out)) {
			if !strings.HasPrefix(name, "Benchmark") && (t.only == nil || t.only.MatchString(name)) {
				tests = append(tests, test{Target: t.folder, Name: name})
			}
		}
	}
	return tests, nil
}

func (r *runner) try(ctx context.Context, t *test) {
	file, err := os.CreateTemp(filepath.Join(r.work, hidden), "reached-")
	if err != nil {
		t.Failed = true
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	start := time.Now()
	_, ok := r.run(ctx, t.Target, []string{t.Name}, 10*time.Minute, mutant.ReachedVariable+"="+file.Name())
	t.Took, t.Failed = time.Since(start), !ok
	text, err := os.ReadFile(file.Name())
	t.Failed = t.Failed || err != nil
	for line := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(line); err == nil {
			t.Reached = append(t.Reached, n)
		}
	}
	slices.Sort(t.Reached)
	t.Reached = slices.Compact(t.Reached) // a child of the test notes for itself
}

// each calls fn for 0 to n-1, as many at once as the runner may, until the context ends.
func (r *runner) each(ctx context.Context, n int, fn func(i int)) {
	var wait sync.WaitGroup
	next := make(chan int)
	for range r.procs {
		wait.Go(func() {
			for i := range next {
				fn(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	wait.Wait()
}
