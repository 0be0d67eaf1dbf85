package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// table is one of those in the page. It stands between <!-- scale NAME --> and <!-- end -->, and has a line for each
// store that was measured.
type table struct {
	name, head string
	row        func(*result) string
}

const end = "<!-- end -->"

var tables = []table{
	{"latency", "| store | load | save | touch | list by user |\n|---|---|---|---|---|", latencyRow},
	{"size", "| store | sessions | bytes a session | filled in | sweep | of few |\n|---|---|---|---|---|---|", sizeRow},
}

// latencyRow has the median and the p99 of the idle server, and what the p99 grows by while the store is swept.
func latencyRow(r *result) string {
	cells := []string{label(r.store)}
	for i := range operations {
		p99 := r.idle[i].quantile(0.99)
		ratio := float64(r.sweeping[i].quantile(0.99)) / float64(max(p99, 1))
		cells = append(cells, fmt.Sprintf("%s, %s, × %s", short(r.idle[i].quantile(0.5)), short(p99), digits(ratio)))
	}
	return row(cells)
}

func sizeRow(r *result) string {
	return row([]string{
		label(r.store), fmt.Sprint(r.sessions), fmt.Sprint(r.bytes), seconds(r.filled),
		fmt.Sprintf("%d in %s", r.removed, seconds(r.swept)), fmt.Sprintf("%d in %s", few, short(r.sweptFew)),
	})
}

func label(store string) string { return "`" + store + "`" }

func row(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }

// short has two digits, and a unit.
func short(d time.Duration) string {
	if d < time.Millisecond {
		return digits(float64(d)/float64(time.Microsecond)) + " µs"
	}
	return digits(float64(d)/float64(time.Millisecond)) + " ms"
}

func seconds(d time.Duration) string { return digits(d.Seconds()) + " s" }

// digits has two that count, and no exponent.
func digits(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// update puts the lines of the result into the tables of the page, in the place of older ones.
func update(page string, r *result) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	updated := string(text)
	for _, t := range tables {
		if updated, err = t.update(updated, r); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	return os.WriteFile(page, []byte(updated), 0o644)
}

func (t table) update(page string, r *result) (string, error) {
	marker := "<!-- scale " + t.name + " -->\n"
	before, rest, found := strings.Cut(page, marker)
	old, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("there is no %q, or no %q after it", strings.TrimSpace(marker), end)
	}
	rows := make(map[string]string)
	for line := range strings.Lines(old) {
		rows[strings.TrimSpace(strings.Split(line+"|", "|")[1])] = strings.TrimSpace(line)
	}
	rows[label(r.store)] = t.row(r)
	lines := []string{t.head}
	for _, k := range kinds {
		if line, ok := rows[label(k.name)]; ok {
			lines = append(lines, line)
		}
	}
	return before + marker + strings.Join(slices.Concat(lines, []string{end}), "\n") + after, nil
}
