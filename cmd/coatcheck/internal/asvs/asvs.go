// Package asvs says which session requirements of OWASP ASVS 5.0 the configuration of a site meets. docs/asvs.md has
// the same requirements, with the tests that show them.
package asvs

import (
	"fmt"
	"strings"

	"github.com/coatcheck/session/cmd/coatcheck/internal/doctor"
)

// What a requirement depends on.
const (
	Library = "library" // met whatever the options
	Options = "options" // met while the checks named pass
	Yours   = "yours"   // left to the application
)

// Requirement is one of OWASP ASVS.
type Requirement struct {
	ID     string
	Level  int // the lowest that demands it: 1, 2 or 3
	On     string
	Checks []string // of doctor, which have to pass; none where On is not Options
	Text   string   // what is asked for, in a few words
	Advice string   // what the application has to do; "" where On is not Yours
}

// The results of an assessment.
const (
	Met      = "met"
	NotMet   = "not met"
	YourTask = "yours"
)

// Result is what one requirement has come to.
type Result struct {
	ID     string `json:"id"`
	Level  int    `json:"level"`
	Result string `json:"result"` // "met", "not met" or "yours"
	Text   string `json:"requirement"`
	Detail string `json:"detail"` // what to do, where there is something
}

// Highest is the highest level that there is.
const Highest = 3

// Assess says what becomes of every requirement up to a level, given what doctor has found. A check that somebody
// accepted has not passed.
func Assess(level int, checks []doctor.Check) ([]Result, error) {
	if level < 1 || level > Highest {
		return nil, fmt.Errorf("ASVS has the levels 1 to %d, not %d", Highest, level)
	}
	var results []Result
	for _, r := range requirements {
		if r.Level <= level {
			results = append(results, r.assess(checks))
		}
	}
	return results, nil
}

func (r Requirement) assess(checks []doctor.Check) Result {
	out := Result{ID: r.ID, Level: r.Level, Result: Met, Text: r.Text}
	if r.On == Yours {
		out.Result, out.Detail = YourTask, r.Advice
		return out
	}
	var open []string
	for _, name := range r.Checks {
		if why := openCheck(name, checks); why != "" {
			open = append(open, why)
		}
	}
	if len(open) > 0 {
		out.Result, out.Detail = NotMet, strings.Join(open, "; ")
	}
	return out
}

// openCheck says why a check does not stand for its requirement, "" if it does. One that was not made has not passed:
// the store may not have answered.
func openCheck(name string, checks []doctor.Check) string {
	for _, c := range checks {
		switch {
		case c.Name != name:
		case c.Result == doctor.Pass:
			return ""
		default:
			return name + ": " + c.Detail
		}
	}
	return name + ": not checked; run coatcheck doctor to see why"
}
