package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/coatcheck/session/cmd/coatcheck/internal/asvs"
	"github.com/coatcheck/session/cmd/coatcheck/internal/doctor"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// showRequirements says which requirements of OWASP ASVS the checks meet, up to a level.
func showRequirements(t *tool, level int, checks []doctor.Check) error {
	results, err := asvs.Assess(level, checks)
	if err != nil {
		return err
	}
	count := map[string]int{}
	rows := make([][]string, len(results))
	for i, r := range results {
		count[r.Result]++
		rows[i] = []string{r.Result, r.ID, "L" + strconv.Itoa(r.Level), r.Text, r.Detail}
	}
	err = t.Value(results, func(w io.Writer) {
		_ = output.Marked(w, rows, colourOfRequirement) // the screen keeps what fails
		fmt.Fprintf(w, "%d met, %d not met, %d yours\n", count[asvs.Met], count[asvs.NotMet], count[asvs.YourTask])
	})
	if n := count[asvs.NotMet]; err == nil && n > 0 {
		return found("%s not met", output.Count(n, "requirement"))
	}
	return err
}

// colourOfRequirement is the colour of what became of a requirement.
func colourOfRequirement(row []string) text.Colors {
	switch row[0] {
	case asvs.Met:
		return text.Colors{text.FgGreen}
	case asvs.NotMet:
		return text.Colors{text.FgRed, text.Bold}
	}
	return text.Colors{text.FgYellow}
}
