//go:build unix

package output_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// The test waits for what is to come, and ends with the time that go test has.
func TestProgressKnowsItsTotal(t *testing.T) {
	for _, columns := range []uint16{20, 80} {
		ours, its, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := pty.Setsize(ours, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
			t.Fatal(err)
		}
		bar := output.NewProgress(its, "copying", 200)
		bar.Step(50)
		r := bufio.NewReader(ours)
		var seen strings.Builder
		for !strings.Contains(seen.String(), "25%") {
			c, err := r.ReadByte()
			if err != nil {
				t.Fatalf("after %q: %v", seen.String(), err)
			}
			seen.WriteByte(c)
		}
		bar.Step(1000) // more came than was counted
		go bar.Done()
		for !strings.HasSuffix(seen.String(), "\x1b[K") {
			c, err := r.ReadByte()
			if err != nil {
				t.Fatal(err)
			}
			seen.WriteByte(c)
		}
		its.Close()
		ours.Close()
	}
}

// What is done at once is done before anything was drawn.
func TestProgressOfNothingEnds(t *testing.T) {
	ours, its, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer its.Close()
	go func() { _, _ = io.Copy(io.Discard, ours) }() // until it is closed
	for range 30 {
		output.NewProgress(its, "counting", -1).Done()
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	var b strings.Builder
	bar := output.NewProgress(&b, "copying", 2)
	bar.Step(2)
	bar.Done()
	if b.String() != "" {
		t.Errorf("a file got %q", &b)
	}
}

func TestTimesAreShort(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "now", 999 * time.Millisecond: "now", time.Second: "1 s ago", 119 * time.Second: "119 s ago",
		3 * time.Minute: "3 m ago", 119 * time.Minute: "119 m ago", 2 * time.Hour: "2 h ago",
		47 * time.Hour: "47 h ago",
		2 * day:        "2 d ago", 400 * day: "400 d ago", 800 * day: "2 y ago",
		-time.Minute: "in 60 s", -29 * day: "in 29 d",
		-1000 * day: "in 2 y", 1<<63 - 1: "292 y ago",
	} {
		if got := output.Ago(now.Add(-d), now); got != want {
			t.Errorf("%s before now is %q, want %q", d, got, want)
		}
	}
	for at, want := range map[time.Time]string{{}: "-", time.Unix(1<<40, 0): "in 292 y"} {
		if got := output.Ago(at, now); got != want {
			t.Errorf("%s is %q, want %q", at, got, want)
		}
	}
}

// A dumb terminal shows every escape sequence as it is. Emacs has one.
func TestNobodyWatchesProgressOnADumbTerminal(t *testing.T) {
	ours, its, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer its.Close()
	for name, want := range map[string]bool{"dumb": false, "xterm": true} {
		t.Setenv("TERM", name)
		if output.Watched(its) != want {
			t.Errorf("on a terminal %s somebody watches: %t, want %t", name, !want, want)
		}
	}
}
