//go:build unix

package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coatcheck/session/internal/tools/mutants/mutant"
)

// A runner runs tests of the rewritten code.
type runner struct {
	root, work, cache string
	targets           []target
	procs             int
	out               io.Writer
}

// A verdict is what became of a mutant.
type verdict struct {
	change
	reached bool
	killer  string // the first test that failed, or what else ended the run; "" when nobody noticed
}

// judge puts one mutant in force and runs the tests that reach it, the quick ones first.
func (r *runner) judge(ctx context.Context, m change, tests []test) verdict {
	v := verdict{change: m, reached: len(tests) > 0}
	for _, group := range groups(m, tests) {
		var names []string
		limit := 20 * time.Second
		for _, t := range group {
			names = append(names, t.Name)
			limit += 10 * t.Took
		}
		out, ok := r.run(ctx, group[0].Target, names, limit, mutant.ActiveVariable+"="+strconv.Itoa(m.number))
		if !ok {
			v.killer = killer(out)
			return v
		}
	}
	return v
}

// groups parts tests into runs: by their package, the mutant's own first, and within it what is quick before the rest.
func groups(m change, tests []test) [][]test {
	byTarget := make(map[string][]test)
	for _, t := range tests {
		byTarget[t.Target] = append(byTarget[t.Target], t)
	}
	var all [][]test
	for _, list := range byTarget {
		slices.SortFunc(list, func(a, b test) int { return cmp.Compare(a.Took, b.Took) })
		half := (len(list) + 1) / 2
		for _, part := range [][]test{list[:half], list[half:]} {
			if len(part) > 0 {
				all = append(all, part)
			}
		}
	}
	own := filepath.ToSlash(filepath.Dir(m.file))
	slices.SortStableFunc(all, func(a, b []test) int {
		switch {
		case a[0].Target == own && b[0].Target != own:
			return -1
		case a[0].Target != own && b[0].Target == own:
			return 1
		}
		return cmp.Compare(took(a), took(b))
	})
	return all
}

func took(tests []test) (d time.Duration) {
	for _, t := range tests {
		d += t.Took
	}
	return d
}

// run runs tests of a package and returns what they print, and whether they pass. A mutant may loop, or ask for all
// memory there is, so both have an end.
func (r *runner) run(
	ctx context.Context, folder string, tests []string, limit time.Duration, variable string,
) (string, bool) {
	i := slices.IndexFunc(r.targets, func(t target) bool { return t.folder == folder })
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	cmd := command(ctx, "sh", "-c", `ulimit -v 6000000; exec "$0" "$@"`, r.targets[i].binary,
		"-test.run=^("+strings.Join(tests, "|")+")$", "-test.failfast", "-test.timeout="+limit.String())
	temp, err := os.MkdirTemp(filepath.Join(r.work, hidden), "tmp-")
	if err != nil {
		return err.Error(), false
	}
	defer os.RemoveAll(temp)
	cmd.Dir = filepath.Join(r.root, filepath.FromSlash(folder))
	cmd.Env = append(os.Environ(), variable, "TMPDIR="+temp)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// command is a command that ends with the context, and its children with it.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)|^panic: test timed out`)

// killer is the first test that says in the output that it failed.
func killer(out string) string {
	found := failed.FindStringSubmatch(out)
	switch {
	case found == nil:
		return "a crash"
	case found[1] == "":
		return "the time limit"
	}
	return found[1]
}
