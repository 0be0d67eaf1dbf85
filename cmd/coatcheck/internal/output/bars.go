package output

import (
	"fmt"
	"io"
	"strings"
)

const barWidth = 40

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
