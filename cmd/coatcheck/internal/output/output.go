// Package output is how commands speak: tables for people, JSON for programs, progress on standard error.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
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

// Clean replaces what could steer a terminal, or turn a line around. Several lines become one.
func Clean(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\n\r\t", r) }), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

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
