package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/integration/servers"
)

func TestMain(m *testing.M) {
	code := func() int {
		defer servers.StopAll() // also when a test panics
		return m.Run()
	}()
	os.Exit(code)
}

// The command that takes a quarter of an hour with a million sessions is run with few, on every store, lest it rot.
func TestEveryStoreIsMeasured(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	text := "before\n<!-- scale latency -->\n<!-- end -->\nbetween\n<!-- scale size -->\n<!-- end -->\nafter\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var writing sync.Mutex
	t.Run("stores", func(t *testing.T) {
		for _, k := range kinds {
			t.Run(k.name, func(t *testing.T) {
				if k.name != "memstore" { // whose size is that of the whole program
					t.Parallel()
				}
				r := measureFew(t, k.name)
				writing.Lock()
				defer writing.Unlock()
				if err := update(page, r); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
	checkPage(t, page)
}

func measureFew(t *testing.T, store string) *result {
	t.Helper()
	b, err := open(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r, err := measure(t.Context(), b, config{store: store, sessions: 2000, rounds: 2, idle: 10 * time.Millisecond,
		progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if r.removed != 200 || r.bytes < dataSize || r.bytes > 100*dataSize {
		t.Errorf("%d removed and %d bytes a session, want 200, and more than the %d bytes of data", r.removed, r.bytes,
			dataSize)
	}
	if r.sweptFew <= 0 {
		t.Error("the sweep of few was not measured")
	}
	for i, op := range operations {
		if r.idle[i].quantile(0.5) <= 0 || r.sweeping[i].quantile(0.5) <= 0 {
			t.Errorf("%s was not measured", op.name)
		}
	}
	return r
}

// checkPage wants a line for each store in each table, in order, and everything else as it was.
func checkPage(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		got = append(got, strings.TrimSpace(strings.Split(line+"|", "|")[1]))
	}
	want := ""
	for range tables {
		want += " store ---"
		for _, k := range kinds {
			want += " " + label(k.name)
		}
	}
	if names := strings.Join(strings.Fields(strings.Join(got, " ")), " "); names != strings.TrimSpace(want) {
		t.Errorf("the page has the lines %s, want%s\n%s", names, want, text)
	}
	for _, line := range []string{"before\n", "between\n", "after\n"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("the page has lost the line %q", line)
		}
	}
}

func TestALineTakesThePlaceOfItsOlderOne(t *testing.T) {
	r := &result{store: "redis", sessions: 7, removed: 1}
	page := "<!-- scale size -->\nold head\n| `redis` | 5 |\n| `memstore` | 6 |\n| `stranger` | 1 |\n<!-- end -->\n"
	got, err := tables[1].update(page, r)
	want := "<!-- scale size -->\n" + tables[1].head + "\n| `memstore` | 6 |\n" + tables[1].row(r) + "\n<!-- end -->\n"
	if err != nil || got != want {
		t.Errorf("update = %q, %v, want %q", got, err, want)
	}
	if _, err := tables[0].update(page, r); err == nil {
		t.Error("a page without the table is written")
	}
}

func TestQuantilesAreThreePercentOff(t *testing.T) {
	for _, unit := range []time.Duration{1, time.Microsecond, time.Second} {
		var h histogram
		for i := range 1000 {
			h.note(time.Duration(i+1) * unit)
		}
		for _, q := range []float64{0.001, 0.5, 0.99, 1} {
			want := q * 1000 * float64(unit)
			if got := float64(h.quantile(q)); got < 0.96*want-1 || got > 1.04*want+1 {
				t.Errorf("quantile %v of 1 to 1000 times %v = %v, want %v", q, unit, time.Duration(got),
					time.Duration(want))
			}
		}
	}
	if got := new(histogram).quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
}

func TestAnUnknownStoreIsRefusedByName(t *testing.T) {
	_, err := open(t.Context(), "punchcards")
	if err == nil || !strings.Contains(err.Error(), "memstore, filestore") {
		t.Errorf("open = %v, want an error that names the stores", err)
	}
}
