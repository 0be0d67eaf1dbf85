package output

import (
	"encoding/json"
	"fmt"
	"io"
)

// atOnce is how many rows a list keeps back, to see how wide its columns must be.
const atOnce = 500

// List writes values as they come, however many: a line each for people, the elements of one array in JSON.
type List struct {
	p    *Printer
	grid grid
	rows [][]string
	n    int
}

// NewList begins a list under its heads.
func NewList(p *Printer, heads []Head) *List {
	return &List{p: p, grid: grid{w: p.Out, heads: heads, wide: make([]int, len(heads))}}
}

// Add writes v as JSON, or the cells for people.
func (l *List) Add(v any, cells ...string) error {
	l.n++
	if l.p.JSON {
		return l.element(v)
	}
	if l.rows = append(l.rows, cells); len(l.rows) < atOnce {
		return nil
	}
	return l.flush()
}

func (l *List) flush() error {
	rows := l.rows
	l.rows = nil
	return l.grid.write(rows)
}

func (l *List) element(v any) error {
	lead := ",\n"
	if l.n == 1 {
		lead = "[\n"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(l.p.Out, "%s  %s", lead, numbered(string(text)))
	return err
}

// Flush ends a list that ends with an error: it writes the rows that were kept back, or closes the array. Where nothing
// was added it writes nothing, so that the error can take the place of the list.
func (l *List) Flush() error {
	switch {
	case l.n == 0:
		return nil
	case l.p.JSON:
		_, err := fmt.Fprintln(l.p.Out, "\n]")
		return err
	case len(l.rows) == 0:
		return nil
	}
	return l.flush()
}

// End closes the array, or lets sum write what stands below the lines.
func (l *List) End(sum func(w io.Writer, n int)) error {
	switch {
	case !l.p.JSON:
		if len(l.rows) > 0 || l.n == 0 {
			_ = l.flush() // the screen keeps what fails
		}
		sum(l.p.Out, l.n)
	case l.n == 0:
		fmt.Fprintln(l.p.Out, "[]")
	default:
		fmt.Fprintln(l.p.Out, "\n]")
	}
	return nil
}
