package output

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Columns writes rows without heads, in columns. On a screen that is too narrow the last one is broken into lines.
func Columns(w io.Writer, rows [][]string) {
	wide := widths(rows)
	for _, row := range rows {
		columns(w, wide, row)
	}
}

// between is the room between two columns.
const between = 2

// least is how much room the last column needs, to be beside the others and not below them.
const least = 20

func columns(w io.Writer, wide []int, row []string) {
	var lead strings.Builder
	last := len(row) - 1
	for i, cell := range row[:last] {
		fmt.Fprintf(&lead, "%-*s", wide[i]+between, cell)
	}
	indent := utf8.RuneCountInString(lead.String())
	switch room := widthOf(w) - indent; {
	case widthOf(w) == 0 || room >= wide[last]:
		fmt.Fprintln(w, strings.TrimRight(lead.String()+row[last], " "))
	case room >= least:
		hang(w, lead.String(), indent, wrap(row[last], room))
	default:
		fmt.Fprintln(w, strings.TrimRight(lead.String(), " "))
		hang(w, "  ", between, wrap(row[last], widthOf(w)-between))
	}
}

// hang writes lines below each other, the first behind a lead.
func hang(w io.Writer, lead string, indent int, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, strings.TrimRight(lead+line, " "))
		lead = strings.Repeat(" ", indent)
	}
}

// wrap breaks a text between its words. A word that is longer than a line stays whole, for people copy ids.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// widths makes the cells fit to be shown, and returns how wide each column is.
func widths(rows [][]string) []int {
	var wide []int
	for _, row := range rows {
		for i := range row {
			row[i] = Clean(row[i])
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], utf8.RuneCountInString(row[i]))
		}
	}
	return wide
}

// Table writes rows under their heads, in columns. On a screen that is too narrow each row is a paragraph, with a head
// on each line.
func Table(w io.Writer, head []string, rows [][]string) {
	all := append([][]string{head}, rows...)
	if !tooWide(w, widths(all)) {
		Columns(w, all)
		return
	}
	for i, row := range rows {
		if i > 0 {
			fmt.Fprintln(w)
		}
		paragraph(w, head, row)
	}
}

func tooWide(w io.Writer, wide []int) bool {
	total := between * (len(wide) - 1)
	for _, n := range wide {
		total += n
	}
	return widthOf(w) > 0 && total > widthOf(w)
}

func paragraph(w io.Writer, head, row []string) {
	pairs := make([][]string, len(row))
	for i := range row {
		pairs[i] = []string{head[i], row[i]}
	}
	Columns(w, pairs)
}

// Bars draws a number for each label.
func Bars(w io.Writer, labels []string, values []int) {
	most, wide, digits := 1, 0, 1
	for i, v := range values {
		most, wide = max(most, v), max(wide, len(labels[i]))
		digits = max(digits, len(fmt.Sprint(v)))
	}
	full := barWidth
	if width := widthOf(w); width > 0 {
		full = min(barWidth, max(1, width-wide-digits-5))
	}
	for i, v := range values {
		n := v * full / most
		if v > 0 && n == 0 {
			n = 1
		}
		fmt.Fprintf(w, "  %-*s  %s %d\n", wide, labels[i], strings.Repeat("█", n)+strings.Repeat("·", full-n), v)
	}
}

const barWidth = 40
