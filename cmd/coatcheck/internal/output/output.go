// Package output is how commands speak: tables for people, JSON for programs, progress on standard error.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/dustin/go-humanize"
)

// Printer writes what a command found.
type Printer struct {
	Out, Err io.Writer
	JSON     bool
}

// Short reports whether ids and times are shortened: on a terminal, where people read them. Elsewhere a program does,
// or a person who looks for something.
func (p *Printer) Short() bool { return widthOf(p.Out) > 0 }

// Value writes v as JSON, or calls text, by the choice of the caller of the command.
func (p *Printer) Value(v any, text func(w io.Writer)) error {
	if !p.JSON {
		text(p.Out)
		return nil
	}
	return p.encode(v, "  ")
}

// encode writes v as JSON. What could steer a terminal, which can be in texts only, is written by its number: a program
// that reads it gets the text as it was.
func (p *Printer) encode(v any, indent string) error {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(p.Out, numbered(text.String()))
	return err
}

// numbered writes each character that Clean would replace as JSON does, but for those between the texts.
func numbered(text string) string {
	var out strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) || r == '\n' {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	return out.String()
}

// Line writes v as one line of JSON, or calls text: for what comes one by one.
func (p *Printer) Line(v any, text func(w io.Writer)) error {
	if !p.JSON {
		text(p.Out)
		return nil
	}
	return p.encode(v, "")
}

// Note tells a person something beside the result.
func (p *Printer) Note(format string, args ...any) {
	fmt.Fprintln(p.Err, Clean(fmt.Sprintf(format, args...)))
}

// shortID is how much of an id people see: among a million sessions two alike are unlikely.
const shortID = 12

// ID writes an id, the beginning of it where that is enough.
func (p *Printer) ID(id string) string {
	if p.Short() {
		return ShortID(id)
	}
	return id
}

// ShortID is the beginning of an id.
func ShortID(id string) string { return id[:min(len(id), shortID)] }

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

// Bytes writes a size for people.
func Bytes(n int) string { return humanize.IBytes(uint64(max(n, 0))) }

// Count writes a number with its noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
