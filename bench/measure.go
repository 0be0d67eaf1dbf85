//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// sample is one measurement of a request.
type sample struct {
	ns, bytes, allocs float64
}

// figure names what was measured.
type figure struct{ library, store, what string }

// book has all samples of a run.
type book struct {
	samples map[figure][]sample
	cookies map[figure]int // bytes of the Cookie header of a small session
	raw     io.Writer      // in the format of Go's benchmarks, for benchstat
	each    time.Duration  // how long one measurement lasts
}

func newBook(raw io.Writer, each time.Duration) *book {
	return &book{map[figure][]sample{}, map[figure]int{}, raw, each}
}

// median returns the median of each column of a figure, and whether there is one.
func (b *book) median(f figure) (sample, bool) {
	list := b.samples[f]
	if len(list) == 0 {
		return sample{}, false
	}
	column := func(of func(sample) float64) float64 {
		values := make([]float64, len(list))
		for i, s := range list {
			values[i] = of(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return sample{
		column(func(s sample) float64 { return s.ns }),
		column(func(s sample) float64 { return s.bytes }), column(func(s sample) float64 { return s.allocs }),
	}, true
}

func (b *book) ns(library, store, what string) float64 {
	s, _ := b.median(figure{library, store, what})
	return s.ns
}

// contender is something that is measured, and what it is called.
type contender struct {
	figure
	run func()
}

// turns is how often each contender has its turn in a measurement.
const turns = 10

// longer is how many times as long a turn lasts in SQLite. Every few hundred writes it has a checkpoint, which takes
// about as long as all of these. A turn of some milliseconds has one or none, so that a median would say which of the
// two is more frequent, and not what a write takes.
const longer = 10

// compare measures how long each of them takes, and writes every turn down. They take turns of some milliseconds, in
// SQLite of more, so that whatever the machine does at the time meets all alike.
func (b *book) compare(all []contender) {
	runtime.GC() // what others left
	counts := make([]int, len(all))
	for i, c := range all {
		counts[i] = repeats(c.run, b.turnOf(c.store))
	}
	for turn := range turns {
		for i := range all {
			i = (i + turn) % len(all)
			b.note(all[i].figure, measured(all[i].run, counts[i]), counts[i])
		}
	}
}

// turnOf is how long a turn lasts.
func (b *book) turnOf(store string) time.Duration {
	if store == inSQLite {
		return longer * b.each / turns
	}
	return b.each / turns
}

// time measures something by itself.
func (b *book) time(f figure, run func()) { b.compare([]contender{{f, run}}) }

// repeats is how often something runs in a time, at least once.
func repeats(run func(), lasts time.Duration) int {
	run() // or what is done once, such as to prepare a statement, would count
	for n := 1; ; n *= 2 {
		if took := measured(run, n).ns; took >= float64(lasts)/4 {
			return max(1, int(float64(lasts)/took*float64(n)))
		}
	}
}

// measured is what n runs take together.
func measured(run func(), n int) sample {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun := time.Now()
	for range n {
		run()
	}
	took := time.Since(begun)
	runtime.ReadMemStats(&after)
	return sample{float64(took), float64(after.TotalAlloc - before.TotalAlloc), float64(after.Mallocs - before.Mallocs)}
}

// note writes down what n runs took together.
func (b *book) note(f figure, together sample, n int) {
	each := float64(n)
	s := sample{together.ns / each, together.bytes / each, together.allocs / each}
	b.samples[f] = append(b.samples[f], s)
	fmt.Fprintf(b.raw, "Benchmark/what=%s/store=%s/library=%s %d %.1f ns/op %.0f B/op %.0f allocs/op\n",
		word(f.what), word(f.store), word(f.library), n, s.ns, s.bytes, s.allocs)
}

// word is text without what separates the columns of a benchmark.
func word(text string) string {
	out := []rune(text)
	for i, r := range out {
		if r == ' ' || r == ',' || r == '/' {
			out[i] = '_'
		}
	}
	return string(out)
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// open opens a library in a folder of its own.
func (l library) openIn(ctx context.Context, at place) (site, func() error, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, nil, err
	}
	at.dir = dir
	s, err := l.open(ctx, at)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s on %s: %w", l, l.store, cmp.Or(err, os.RemoveAll(dir)))
	}
	return s, func() error { return cmp.Or(s.close(), os.RemoveAll(dir)) }, nil
}

// tickets begins two sessions. The large one is "" where it does not fit.
func tickets(s site) (small, large string, err error) {
	if _, small, err = s.on(login).ask(""); err != nil {
		return "", "", err
	}
	if _, large, err = s.on(fill).ask(""); err != nil {
		large = ""
	}
	return small, large, nil
}

func (s scenario) cookie(small, large string) string {
	switch {
	case !s.ticket:
		return ""
	case s.large:
		return large
	}
	return small
}

const (
	bareHandler  = "bare handler"
	signedCookie = "cookie and HMAC"
	rawCommand   = "raw commands"
)
