package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// List writes values as they come: a line each for people, the elements of one array in JSON.
type List struct {
	p      *Printer
	format string
	head   []string
	narrow bool // the lines would not fit on the screen
	n      int
}

// NewList begins a list whose lines have this format, under their heads.
func NewList(p *Printer, format string, head ...any) *List {
	l := &List{p: p, format: format, head: make([]string, len(head))}
	for i, name := range head {
		l.head[i] = fmt.Sprint(name)
	}
	l.narrow = tooWide(p.Out, []int{len(fmt.Sprintf(format, head...))})
	if !p.JSON && !l.narrow {
		_ = l.line(head) // what fails is told by the next line
	}
	return l
}

// Add writes v as JSON, or the cells for people.
func (l *List) Add(v any, cells ...any) error {
	l.n++
	if !l.p.JSON && l.narrow {
		return l.paragraph(cells)
	}
	if !l.p.JSON {
		return l.line(cells)
	}
	lead := ",\n"
	if l.n == 1 {
		lead = "[\n"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.p.Out, "%s  %s", lead, text)
	return err
}

func (l *List) line(cells []any) error {
	for i, cell := range cells {
		cells[i] = Clean(fmt.Sprint(cell))
	}
	_, err := fmt.Fprintln(l.p.Out, strings.TrimRight(fmt.Sprintf(l.format, cells...), " "))
	return err
}

func (l *List) paragraph(cells []any) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = fmt.Sprint(cell)
	}
	paragraph(l.p.Out, l.head, row)
	_, err := fmt.Fprintln(l.p.Out)
	return err
}

// End closes the array, or lets sum write what stands below the lines.
func (l *List) End(sum func(w io.Writer, n int)) error {
	switch {
	case !l.p.JSON:
		sum(l.p.Out, l.n)
	case l.n == 0:
		fmt.Fprintln(l.p.Out, "[]")
	default:
		fmt.Fprintln(l.p.Out, "\n]")
	}
	return nil
}
