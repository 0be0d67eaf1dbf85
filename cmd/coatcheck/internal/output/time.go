package output

import (
	"math"
	"time"

	"github.com/dustin/go-humanize"
)

// Time writes a time for people, and nothing for none.
func Time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

const day = 24 * time.Hour

// magnitudes are the units of [Ago], each up to twice of the next: "90 m ago" says more than "1 h ago".
var magnitudes = []humanize.RelTimeMagnitude{
	{D: 2 * time.Minute, Format: "%d s%s", DivBy: time.Second},
	{D: 2 * time.Hour, Format: "%d m%s", DivBy: time.Minute},
	{D: 2 * day, Format: "%d h%s", DivBy: time.Hour},
	{D: 730 * day, Format: "%d d%s", DivBy: day},
	{D: math.MaxInt64, Format: "%d y%s", DivBy: 365 * day},
}

// Ago writes how long before now a time is, or how long after: "3 m ago", "in 29 d".
func Ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "-"
	case d.Abs() < time.Second:
		return "now"
	case d < 0:
		return "in " + humanize.CustomRelTime(now, t, "", "", magnitudes)
	}
	return humanize.CustomRelTime(t, now, " ago", "", magnitudes)
}
