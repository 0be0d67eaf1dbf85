package output

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// least is how much room the last column needs, to be beside the others and not below them.
const least = 20

// Columns writes rows without heads, in columns. On a screen that is too narrow the last one is broken into lines.
func Columns(w io.Writer, rows [][]string) error {
	return Marked(w, rows, func([]string) text.Colors { return nil })
}

// Marked is Columns, with the first cell of each row in a colour.
func Marked(w io.Writer, rows [][]string, colour func(row []string) text.Colors) error {
	wide := widths(rows)
	var err error
	for _, row := range rows {
		err = columns(w, wide, row, colour(row))
	}
	return err
}

func columns(w io.Writer, wide []int, row []string, first text.Colors) error {
	var lead strings.Builder
	last, indent := len(row)-1, 0
	for i, cell := range row[:last] {
		indent += wide[i] + between
		padded := text.Pad(cell, wide[i]+between, ' ')
		if i == 0 {
			padded = first.Sprint(cell) + padded[len(cell):]
		}
		lead.WriteString(padded)
	}
	switch room := widthOf(w) - indent; {
	case widthOf(w) == 0 || row[last] == "" || room >= displayed(row[last]):
		return line(w, lead.String()+row[last])
	case room >= least:
		return hang(w, lead.String(), indent, wrap(row[last], room))
	}
	if err := line(w, lead.String()); err != nil {
		return err
	}
	return hang(w, "  ", between, wrap(row[last], widthOf(w)-between))
}

// line writes one, without the room that its last column has left.
func line(w io.Writer, s string) error {
	_, err := fmt.Fprintln(w, strings.TrimRight(s, " "))
	return err
}

// hang writes lines below each other, the first behind a lead.
func hang(w io.Writer, lead string, indent int, lines []string) error {
	for _, s := range lines {
		if err := line(w, lead+s); err != nil {
			return err
		}
		lead = strings.Repeat(" ", indent)
	}
	return nil
}

// longest is what stays whole on a screen that is too narrow for it: an id, which people copy.
const longest = 64

// wrap breaks a text between its words.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && displayed(line)+1+displayed(word) > width {
			lines, line = append(lines, line), ""
		}
		if displayed(word) > longest {
			word = text.WrapHard(word, max(width, 2)) // a character of Chinese takes two columns
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return strings.Split(strings.Join(append(lines, line), "\n"), "\n")
}

// displayed is how many columns of a terminal a text takes, two for each character of Chinese.
func displayed(s string) int { return text.StringWidthWithoutEscSequences(s) }

// widths makes the cells fit to be shown, and returns how wide each column is.
func widths(rows [][]string) []int {
	var wide []int
	for _, row := range rows {
		for i := range row {
			row[i] = Clean(row[i])
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], displayed(row[i]))
		}
	}
	return wide
}
