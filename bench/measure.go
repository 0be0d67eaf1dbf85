//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
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
}

func newBook(raw io.Writer) *book { return &book{map[figure][]sample{}, map[figure]int{}, raw} }

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

// time measures how long something takes, and writes it down.
func (b *book) time(f figure, run func()) {
	runtime.GC() // what others left
	r := testing.Benchmark(func(t *testing.B) {
		t.ReportAllocs()
		for t.Loop() {
			run()
		}
	})
	s := sample{
		ns: float64(r.T.Nanoseconds()) / float64(r.N), bytes: float64(r.AllocedBytesPerOp()),
		allocs: float64(r.AllocsPerOp()),
	}
	b.samples[f] = append(b.samples[f], s)
	fmt.Fprintf(b.raw, "Benchmark/what=%s/store=%s/library=%s %d %.1f ns/op %.0f B/op %.0f allocs/op\n",
		word(f.what), word(f.store), word(f.library), r.N, s.ns, s.bytes, s.allocs)
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

// inProcess measures all scenarios of a library once, without a network between the request and the handler.
func (b *book) inProcess(ctx context.Context, l library, at place) error {
	s, end, err := l.openIn(ctx, at)
	if err != nil {
		return err
	}
	small, large, err := tickets(s)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", l, l.store, cmp.Or(err, end()))
	}
	b.cookies[figure{l.String(), l.store, ""}] = len(small)
	for _, sc := range scenarios {
		if sc.large && large == "" {
			continue // it does not fit into a cookie
		}
		b.time(figure{l.String(), l.store, sc.name}, s.on(sc.do).repeat(sc.cookie(small, large)))
	}
	return end()
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

// overHTTP measures reads and writes through a connection on loopback.
func (b *book) overHTTP(ctx context.Context, l library, at place) error {
	s, end, err := l.openIn(ctx, at)
	if err != nil {
		return err
	}
	small, _, err := tickets(s)
	if err != nil {
		return cmp.Or(err, end())
	}
	for _, name := range []string{"read", "write"} {
		if err := b.serve(figure{l.String(), l.store, name + " over HTTP"}, s.on(named(name).do), small); err != nil {
			return cmp.Or(err, end())
		}
	}
	return end()
}

func (b *book) serve(f figure, e entry, cookie string) error {
	url, stop, err := e.listen()
	if err != nil {
		return err
	}
	defer stop()
	r, err := http.NewRequest(http.MethodGet, url+"/", nil)
	if err != nil {
		return err
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var failed error
	b.time(f, func() {
		resp, err := client.Do(r)
		if err != nil {
			failed = err
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	})
	return failed
}

// floor measures what no session library can go below: a handler without a session, and the check of a signed cookie.
func (b *book) floor() error {
	bare := httpEntry{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, "ok") })}
	b.time(figure{bareHandler, "", "in the process"}, bare.repeat("session=x"))
	b.time(figure{signedCookie, "", "in the process"}, checkSigned())
	return b.serve(figure{bareHandler, "", "over HTTP"}, bare, "session=x")
}

const (
	bareHandler  = "bare handler"
	signedCookie = "cookie and HMAC"
	rawCommand   = "raw commands"
)
