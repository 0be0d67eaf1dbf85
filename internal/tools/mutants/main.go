// Command mutants asks whether the tests would notice if the code were wrong. It changes the code in many small ways,
// one at a time, runs the tests that reach the place, and lists the changes that none of them noticed. Each names a
// line that could be wrong today. What survives is killed by a test, or explained in accepted.txt.
//
// All changes are built into one set of test binaries, each behind a switch, so that a change costs the run of a few
// tests and no build. The files of the repository are not touched: the rewritten ones reach the compiler by an overlay.
package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

var (
	//go:embed mutant/mutant.go
	switchboard []byte

	//go:embed accepted.txt
	acceptedText []byte
)

// mutated are the packages that are changed.
var mutated = []string{".", "memstore", "filestore", "sqlstore", "guard", "cookiestore",
	"internal/atomicfile", "internal/bounded", "internal/carried", "internal/data", "internal/envelope",
	"internal/keys", "internal/life", "internal/respond", "internal/sealed", "internal/sqltable", "internal/wire"}

// tested are the packages whose tests are run. Those that need a server are not: starting it takes longer than the
// rest.
func tested() []target {
	targets := []target{{folder: "internal/integration", only: regexp.MustCompile("^TestSQLite")}}
	for _, folder := range append([]string{"internal/explore", "sessiontest"}, mutated...) {
		targets = append(targets, target{folder: folder})
	}
	return targets
}

type options struct {
	mutated               []string
	tested                []target
	root, packages, match string
	sample, procs         int
	seed                  uint64
	list                  bool
	out                   io.Writer
}

func main() {
	o := options{mutated: mutated, tested: tested(), out: os.Stdout}
	flag.StringVar(&o.root, "root", ".", "the `folder` of the repository")
	flag.IntVar(&o.sample, "sample", 300, "how many mutants to try; 0: all")
	flag.Uint64Var(&o.seed, "seed", 1, "which ones; the same number draws the same ones, as far as they are "+
		"still there")
	flag.StringVar(&o.packages, "packages", "", "mutants of these `folders` alone, with commas between")
	flag.StringVar(&o.match, "match", "", "mutants alone whose name this `regexp` matches")
	flag.IntVar(&o.procs, "procs", 2, "how many to try at once")
	flag.BoolVar(&o.list, "list", false, "list the mutants and do nothing")
	flag.Parse()
	accepted, err := parseAccepted(bytes.NewReader(acceptedText))
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants: accepted.txt:", err)
		os.Exit(2)
	}
	unnoticed, err := try(o, accepted)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if unnoticed > 0 {
		os.Exit(1)
	}
}

// try returns how many lines somebody has to look at: mutants that nobody noticed and nobody explained, and
// explanations of what is no mutant any more.
func try(o options, accepted map[string]string) (int, error) {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return 0, err
	}
	c, err := load(root, o.mutated)
	if err != nil {
		return 0, err
	}
	chosen, err := choose(c.changes, o)
	if err != nil {
		return 0, err
	}
	if o.list {
		for _, m := range chosen {
			fmt.Fprintf(o.out, "%d: %s\n", m.line, m.name)
		}
		return 0, nil
	}
	r := &runner{root: root, work: filepath.Join(root, "out", "mutants"), targets: o.tested, procs: o.procs, out: o.out}
	if err := r.prepare(c); err != nil {
		return 0, err
	}
	verdicts, err := r.judgeAll(chosen)
	if err != nil {
		return 0, err
	}
	gone := stale(accepted, c.changes)
	return report(o.out, verdicts, accepted, gone), nil
}

// choose draws the mutants to try.
func choose(all []change, o options) ([]change, error) {
	match, err := regexp.Compile(o.match)
	if err != nil {
		return nil, err
	}
	var chosen []change
	for _, m := range all {
		folder := filepath.ToSlash(filepath.Dir(m.file))
		wanted := o.packages == "" || slices.Contains(strings.Split(o.packages, ","), folder)
		if wanted && match.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if o.sample > 0 && o.sample < len(chosen) {
		slices.SortFunc(chosen, func(a, b change) int { return cmp.Compare(lot(o.seed, a), lot(o.seed, b)) })
		chosen = chosen[:o.sample]
	}
	return chosen, nil
}

// lot is what a mutant draws: by its name alone, so that a change elsewhere in the code leaves nearly the same sample.
func lot(seed uint64, m change) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, m.name))
	return string(sum[:])
}

// prepare builds the tests of the rewritten code.
func (r *runner) prepare(c *code) error {
	if err := os.MkdirAll(r.work, 0o700); err != nil {
		return err
	}
	overlay, err := c.write(r.work)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "== building the tests with %d mutants\n", len(c.changes))
	return r.build(overlay)
}

// judgeAll tries each mutant, and prints what becomes of it.
func (r *runner) judgeAll(chosen []change) ([]verdict, error) {
	fmt.Fprintln(r.out, "== running each test once, to learn what it reaches")
	tests, err := r.reach()
	if err != nil {
		return nil, err
	}
	byMutant := reaching(r.out, tests)
	fmt.Fprintf(r.out, "== trying %d mutants\n", len(chosen))
	verdicts := make([]verdict, len(chosen))
	var mu sync.Mutex
	done := 0
	r.each(len(chosen), func(i int) {
		verdicts[i] = r.judge(chosen[i], byMutant[chosen[i].number])
		mu.Lock()
		defer mu.Unlock()
		done++
		fmt.Fprintf(r.out, "%d/%d %s\n", done, len(chosen), verdicts[i])
	})
	return verdicts, nil
}
