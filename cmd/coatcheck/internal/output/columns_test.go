package output_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// id is what people copy, so that it is never broken.
var id = strings.Repeat("0a", 32)

func draw(columns int) string {
	var b bytes.Buffer
	w := &output.Screen{Writer: &b, Columns: columns}
	output.Columns(w, [][]string{
		{"pass", "latency", "a read takes 18µs"},
		{"fail", "writes", "the server is read-only; " + strings.Repeat("nobody can sign in ", 5)},
	})
	output.Table(w, output.Heads("ID", "USER", "REASON"), [][]string{
		{id, "ada", "does not open"},
		{id, "bob", "does not decode, whoever reads it"},
	})
	output.Bars(w, []string{"Jan 02 15:04", "Jan 02 16:04"}, []int{3, 1200})
	list := output.NewList(&output.Printer{Out: w}, output.Heads("ID", "USER", "BROWSER"))
	_ = list.Add(nil, id, "ada", "Mozilla/5.0 (X11; Linux x86_64) and so on")
	_ = list.Flush()
	return b.String()
}

func TestTablesNarrowToTheScreen(t *testing.T) {
	for _, columns := range []int{1, 20, 40, 80, 100} {
		out := draw(columns)
		for line := range strings.SplitSeq(out, "\n") {
			if n := utf8.RuneCountInString(line); columns >= 40 && n > columns && !strings.Contains(line, id) {
				t.Errorf("on %d columns a line has %d: %q", columns, n, line)
			}
		}
		if n := strings.Count(out, id); n != 3 {
			t.Errorf("on %d columns %d of 3 ids are whole:\n%s", columns, n, out)
		}
	}
}

// A row without a last cell has nothing to go on with below it.
func TestARowThatEndsEarlyTakesOneLine(t *testing.T) {
	var b strings.Builder
	rows := [][]string{{"met", "a text that fills the screen", ""}, {"yours", "another text", "what to do about it"}}
	if err := output.Columns(&output.Screen{Writer: &b, Columns: 30}, rows); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "\n\n") || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("the rows have an empty line between them:\n%s", &b)
	}
}

// What is written to a file is for programs that read lines.
func TestAFileHasALineForEachRow(t *testing.T) {
	out := draw(0)
	if n := strings.Count(out, "\n"); n != 9 {
		t.Errorf("there are %d lines, want 9:\n%s", n, out)
	}
	for _, line := range []string{"pass  latency  a read takes 18µs\n", id + "  ada   does not open\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("the columns do not stand under each other, %q is missing:\n%s", line, out)
		}
	}
}

// The driver of PostgreSQL writes its errors in several lines.
func TestALineStaysOne(t *testing.T) {
	if got, want := output.Clean("cannot connect to `db`:\n\t127.0.0.1:1: refused\x1b[2J"),
		"cannot connect to `db`: 127.0.0.1:1: refused�[2J"; got != want {
		t.Errorf("Clean gives %q, want %q", got, want)
	}
}
