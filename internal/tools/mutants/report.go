//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// reaching turns the tests around: by mutant, those that reach it. One that fails by itself tells nothing.
func reaching(out io.Writer, tests []test) map[int][]test {
	byMutant := make(map[int][]test)
	for _, t := range tests {
		if t.Failed {
			fmt.Fprintf(out, "set aside, for it fails with no mutant in force: %s in %s\n", t.Name, t.Target)
			continue
		}
		for _, n := range t.Reached {
			byMutant[n] = append(byMutant[n], t)
		}
	}
	return byMutant
}

func (v verdict) String() string {
	switch {
	case v.killer != "":
		return fmt.Sprintf("killed by %s: %s", v.killer, v.name)
	case v.reached:
		return fmt.Sprintf("SURVIVED: %s (line %d)", v.name, v.line)
	default:
		return fmt.Sprintf("NOT REACHED: %s (line %d)", v.name, v.line)
	}
}

// report prints what nobody noticed, and the numbers; it returns how many are not explained.
func report(out io.Writer, verdicts []verdict, accepted map[string]string, gone []string) int {
	killed, explained := 0, 0
	var open []string
	for _, v := range verdicts {
		why, known := accepted[v.name]
		switch {
		case v.killer != "" && known:
			killed++
			fmt.Fprintf(out, "noticed by %s, so accepted.txt need not explain it: %s\n", v.killer, v.name)
		case v.killer != "":
			killed++
		case known:
			explained++
			fmt.Fprintf(out, "%s\n\t%s\n", v, why)
		default:
			open = append(open, v.String())
		}
	}
	for _, name := range gone {
		fmt.Fprintf(out, "no mutant any more, so take it out of accepted.txt: %s\n", name)
	}
	slices.Sort(open)
	fmt.Fprintf(out, "== what no test noticed\n%s\n", strings.Join(open, "\n"))
	fmt.Fprintf(out, "== %d mutants: %d killed, %d survived (%d of them explained)\n",
		len(verdicts), killed, len(open)+explained, explained)
	return len(open) + len(gone)
}
