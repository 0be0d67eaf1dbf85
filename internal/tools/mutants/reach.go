package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
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

// A target is a package whose tests are run. Only those that match are; nil: all.
type target struct {
	folder string
	only   *regexp.Regexp
	binary string
}

// A test is one test, example or fuzz function with its seeds, and the mutants that it reaches.
type test struct {
	Target  string // the folder
	Name    string
	Took    time.Duration
	Reached []int
	Failed  bool // with no mutant in force: it measures what the rewriting changes, or needs what is not here
}

// build builds the test binaries of all targets from the rewritten code.
func (r *runner) build(overlay string) error {
	// Vet would look for the package that only the overlay has.
	args := []string{"test", "-c", "-vet=off", "-overlay", overlay, "-o", r.work + string(filepath.Separator)}
	for i, t := range r.targets {
		args = append(args, "./"+t.folder)
		r.targets[i].binary = filepath.Join(r.work, path.Base(path.Join(module, t.folder))+".test")
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = r.root, workspace(), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the tests: %w", err)
	}
	r.targets = slices.DeleteFunc(r.targets, func(t target) bool { // a package without tests has no binary
		_, err := os.Stat(t.binary)
		return errors.Is(err, fs.ErrNotExist)
	})
	return nil
}

// reach runs every test by itself, with no mutant in force, and notes what it reaches. What is known of the same
// binaries is kept in the folder and not done again.
func (r *runner) reach() ([]test, error) {
	key := sha256.New()
	for _, t := range r.targets {
		binary, err := os.ReadFile(t.binary)
		if err != nil {
			return nil, err
		}
		key.Write(binary)
	}
	cache := filepath.Join(r.work, fmt.Sprintf("reach-%x.json", key.Sum(nil)[:8]))
	var tests []test
	if text, err := os.ReadFile(cache); err == nil {
		return tests, json.Unmarshal(text, &tests)
	}
	tests, err := r.list()
	if err != nil {
		return nil, err
	}
	r.each(len(tests), func(i int) { r.try(&tests[i]) })
	text, err := json.Marshal(tests)
	if err != nil {
		return nil, err
	}
	return tests, os.WriteFile(cache, text, 0o600)
}

// list asks the binaries for their tests.
func (r *runner) list() ([]test, error) {
	var tests []test
	for _, t := range r.targets {
		// explore wants to be told which to run
		out, err := exec.Command(t.binary, "-test.list=.", "-test.run=.").Output()
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

func (r *runner) try(t *test) {
	file, err := os.CreateTemp(filepath.Join(r.work, hidden), "reached-")
	if err != nil {
		t.Failed = true
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	start := time.Now()
	_, ok := r.run(t.Target, []string{t.Name}, 10*time.Minute, mutant.ReachedVariable+"="+file.Name())
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

// each calls fn for 0 to n-1, as many at once as the runner may.
func (r *runner) each(n int, fn func(i int)) {
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
		next <- i
	}
	close(next)
	wait.Wait()
}
