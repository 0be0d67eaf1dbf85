//go:build unix

// Command mutants asks whether the tests would notice if the code were wrong. It changes the code in many small ways,
// one at a time, runs the tests that reach the place, and lists the changes that none of them noticed. Each names a
// line that could be wrong today. What survives is killed by a test, or explained in accepted.txt.
//
// All changes are built into one set of test binaries, each behind a switch, so that a change costs the run of a few
// tests and no build. The files of the repository are not touched: the rewritten ones reach the compiler by an overlay.
// What is built is of no use to anybody else, so the cache of builds is one of its own, and goes with the rest when the
// command ends or is interrupted.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
)

var (
	//go:embed mutant/mutant.go
	switchboard []byte

	//go:embed accepted.txt
	acceptedText []byte
)

// mutated are the packages that are changed.
var mutated = []string{".", "memstore", "filestore", "sqlstore", "guard", "cookiestore", "devicebound",
	"internal/atomicfile", "internal/beside", "internal/bounded", "internal/carried", "internal/data", "internal/dbsc",
	"internal/envelope", "internal/keys", "internal/life", "internal/respond", "internal/sealed", "internal/sqltable",
	"internal/wire"}

// tested are the packages whose tests are run. Those that need a server are not: starting it takes longer than the
// rest.
func tested() []target {
	targets := []target{{folder: "internal/integration", only: regexp.MustCompile("^TestSQLite"),
		forMutantsOf: []string{"sqlstore", "internal/sqltable"}}}
	for _, folder := range append([]string{"internal/explore", "sessiontest"}, mutated...) {
		targets = append(targets, target{folder: folder})
	}
	return targets
}

type options struct {
	mutated               []string
	tested                []target
	root, packages, match string
	cache                 string // of builds; "": one that is removed with what was built
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	unnoticed, err := try(ctx, o, accepted)
	stop()
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
func try(ctx context.Context, o options, accepted map[string]string) (int, error) {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return 0, err
	}
	folders, err := wanted(o)
	if err != nil {
		return 0, err
	}
	c, err := load(ctx, root, folders)
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
	r := &runner{root: root, work: filepath.Join(root, "out", "mutants"), cache: o.cache, targets: o.tested,
		procs: o.procs, out: o.out}
	defer r.clean()
	if err := r.prepare(ctx, c, folders); err != nil {
		return 0, err
	}
	verdicts, err := r.judgeAll(ctx, chosen)
	if err != nil {
		return 0, err
	}
	return report(o.out, verdicts, accepted, stale(accepted, folders, c.changes)), nil
}

// wanted are the folders whose packages are changed. No others are even built with mutants: each costs time and space.
func wanted(o options) ([]string, error) {
	if o.packages == "" {
		return o.mutated, nil
	}
	folders := strings.Split(o.packages, ",")
	for _, folder := range folders {
		if !slices.Contains(o.mutated, folder) {
			return nil, fmt.Errorf("there are no mutants of %q: choose from %s", folder, strings.Join(o.mutated, ","))
		}
	}
	return folders, nil
}

// choose draws the mutants to try.
func choose(all []change, o options) ([]change, error) {
	match, err := regexp.Compile(o.match)
	if err != nil {
		return nil, err
	}
	var chosen []change
	for _, m := range all {
		if match.MatchString(m.name) {
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
func (r *runner) prepare(ctx context.Context, c *code, folders []string) error {
	r.clean() // of a run that was killed
	if err := r.narrow(ctx, folders); err != nil {
		return err
	}
	overlay, err := c.write(r.work)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "== building the tests of %d packages with %d mutants\n", len(r.targets), len(c.changes))
	return r.build(ctx, overlay)
}

// clean removes what one run has built and cached. What tests reach stays for the next.
func (r *runner) clean() {
	if err := os.RemoveAll(filepath.Join(r.work, hidden)); err != nil {
		fmt.Fprintln(r.out, "mutants: left behind:", err)
	}
}

// judgeAll tries each mutant, and prints what becomes of it.
func (r *runner) judgeAll(ctx context.Context, chosen []change) ([]verdict, error) {
	fmt.Fprintln(r.out, "== running each test once, to learn what it reaches")
	tests, err := r.reach(ctx)
	if err != nil {
		return nil, err
	}
	byMutant := reaching(r.out, tests)
	fmt.Fprintf(r.out, "== trying %d mutants\n", len(chosen))
	verdicts := make([]verdict, len(chosen))
	var mu sync.Mutex
	done := 0
	r.each(ctx, len(chosen), func(i int) {
		verdicts[i] = r.judge(ctx, chosen[i], byMutant[chosen[i].number])
		mu.Lock()
		defer mu.Unlock()
		done++
		if ctx.Err() == nil { // otherwise the test did not end by itself
			fmt.Fprintf(r.out, "%d/%d %s\n", done, len(chosen), verdicts[i])
		}
	})
	return verdicts, ctx.Err()
}
