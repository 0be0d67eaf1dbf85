// Package output is how commands speak: tables for people, JSON for programs, progress on standard error.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"
)

// Printer writes what a command found.
type Printer struct {
	Out, Err io.Writer
	JSON     bool
}

// Value writes v as JSON, or calls text, by the choice of the caller of the command.
func (p *Printer) Value(v any, text func(w io.Writer)) error {
	if !p.JSON {
		text(p.Out)
		return nil
	}
	e := json.NewEncoder(p.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Line writes v as one line of JSON, or calls text: for what comes one by one.
func (p *Printer) Line(v any, text func(w io.Writer)) error {
	if !p.JSON {
		text(p.Out)
		return nil
	}
	return json.NewEncoder(p.Out).Encode(v)
}

// Note tells a person something beside the result.
func (p *Printer) Note(format string, args ...any) {
	fmt.Fprintf(p.Err, format+"\n", args...)
}

// Terminal reports whether a person reads what is written to w, and may be asked.
func Terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Table writes rows under their heads, in columns.
func Table(w io.Writer, head []string, rows [][]string) {
	Columns(w, append([][]string{head}, rows...))
}

// Clean replaces what could steer a terminal, or turn a line around.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

// Bars draws a number for each label.
func Bars(w io.Writer, labels []string, values []int) {
	most, wide := 1, 0
	for i, v := range values {
		most, wide = max(most, v), max(wide, len(labels[i]))
	}
	for i, v := range values {
		n := v * barWidth / most
		if v > 0 && n == 0 {
			n = 1
		}
		fmt.Fprintf(w, "  %-*s  %s %d\n", wide, labels[i], strings.Repeat("█", n)+strings.Repeat("·", barWidth-n), v)
	}
}

const barWidth = 40

// Time writes a time for people, and nothing for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// Bytes writes a size for people.
func Bytes(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// Count writes a number with its noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Columns writes rows without heads, in columns.
func Columns(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i := range row {
			row[i] = Clean(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // what fails is the terminal
}
