package output

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Head is the head of a column.
type Head struct {
	Name  string
	Least int // how narrow a screen may make the column, by cutting its cells; 0: it cuts none
}

// Heads are those of columns whose cells are never cut.
func Heads(names ...string) []Head {
	list := make([]Head, len(names))
	for i, name := range names {
		list[i].Name = name
	}
	return list
}

// between is the room between two columns.
const between = 2

// more stands for what was cut.
const more = "…"

// Table writes rows under their heads, in columns. On a screen that is too narrow cells are cut; where that is not
// enough, each row is a paragraph with a head on each line.
func Table(w io.Writer, heads []Head, rows [][]string) {
	g := &grid{w: w, heads: heads, wide: make([]int, len(heads))}
	_ = g.write(rows) // the screen keeps what fails
}

// grid is a table whose rows come a few at a time.
type grid struct {
	w     io.Writer
	heads []Head
	wide  []int // as wide as the cells so far
	begun bool
}

// write appends rows. Each time the columns become as wide as what has come needs, and never narrower.
func (g *grid) write(rows [][]string) error {
	for i, head := range g.heads {
		g.wide[i] = max(g.wide[i], displayed(head.Name))
	}
	for i, n := range widths(rows) {
		g.wide[i] = max(g.wide[i], n)
	}
	room := widthOf(g.w)
	fitted := g.wide
	if room > 0 {
		fitted = fit(g.wide, g.heads, room)
	}
	if fitted == nil {
		return g.paragraphs(rows)
	}
	return g.lines(rows, fitted)
}

// fit narrows columns until they fit together, the widest first. It returns nil if they cannot.
func fit(wide []int, heads []Head, room int) []int {
	fitted := append([]int(nil), wide...)
	over := between*(len(wide)-1) - room
	for _, n := range wide {
		over += n
	}
	for ; over > 0; over-- {
		widest := -1
		for i, head := range heads {
			if head.Least > 0 && fitted[i] > head.Least && (widest < 0 || fitted[i] > fitted[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil
		}
		fitted[widest]--
	}
	return fitted
}

func (g *grid) lines(rows [][]string, fitted []int) error {
	t := table.NewWriter()
	t.SetStyle(plain)
	t.SuppressTrailingSpaces()
	configs := make([]table.ColumnConfig, len(fitted))
	for i, n := range fitted {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMin: n, WidthMax: n, WidthMaxEnforcer: cut}
	}
	t.SetColumnConfigs(configs)
	if !g.begun {
		head := make(table.Row, len(g.heads))
		for i, h := range g.heads {
			head[i] = text.Bold.Sprint(h.Name)
		}
		t.AppendHeader(head)
	}
	g.begun = true
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = cell
		}
		t.AppendRow(cells)
	}
	_, err := fmt.Fprintln(g.w, t.Render())
	return err
}

func cut(cell string, width int) string { return text.Snip(cell, width, more) }

// plain is a table without lines.
var plain = table.Style{
	Box:     table.BoxStyle{PaddingRight: "  "},
	Options: table.OptionsNoBordersAndSeparators,
}

func (g *grid) paragraphs(rows [][]string) error {
	var err error
	for _, row := range rows {
		if g.begun {
			fmt.Fprintln(g.w)
		}
		g.begun = true
		pairs := make([][]string, len(row))
		for i := range row {
			pairs[i] = []string{g.heads[i].Name, row[i]}
		}
		err = Columns(g.w, pairs)
	}
	return err
}
