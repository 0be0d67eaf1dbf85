package docs_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the comparison of the README")

// writes is how many acknowledged writes make bench-peers counts for each library: sixteen clients make 25 steps of one
// counter, and 25 of a key of their own.
const writes = 2 * 16 * 25

// survivors returns how many of the writes were there in the end, by library and store, as benchmarks.md has measured.
func survivors(t *testing.T) map[string]map[string]int {
	t.Helper()
	_, table, ok := strings.Cut(pages(t)["benchmarks.md"], "| store | library | one counter | own keys |")
	if !ok {
		t.Fatal("benchmarks.md has no table of what survives")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	found := map[string]map[string]int{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || strings.Contains(cells[2], ",") {
			continue // the line below the header, and a library with an option of its own
		}
		one, err := strconv.Atoi(strings.Trim(cells[3], " %"))
		own, err2 := strconv.Atoi(strings.Trim(cells[4], " %"))
		if err != nil || err2 != nil {
			continue
		}
		store, library := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		if found[library] == nil {
			found[library] = map[string]int{}
		}
		found[library][store] = (one + own) * writes / 200
	}
	return found
}

func comparison(found map[string]map[string]int) string {
	stores := []string{"memory", "files", "SQLite", "PostgreSQL", "MySQL", "Redis"}
	var b strings.Builder
	fmt.Fprintf(&b, "| library | %s |\n|%s\n", strings.Join(stores, " | "), strings.Repeat("---|", len(stores)+1))
	for _, library := range []string{"coatcheck", "scs", "gorilla", "gin-contrib", "fiber"} {
		b.WriteString("| " + library + " |")
		for _, store := range stores {
			b.WriteString(cell(found[library], store))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(counts map[string]int, store string) string {
	n, ok := counts[store]
	switch {
	case !ok:
		return " |"
	case n == writes:
		return fmt.Sprintf(" **%d** |", n)
	}
	return fmt.Sprintf(" %d |", n)
}

// TestTheReadmeComparesWhatWasMeasured fails after a make bench-peers whose figures the README does not have yet:
// go test ./docs -run Compares -update writes them.
func TestTheReadmeComparesWhatWasMeasured(t *testing.T) {
	found := survivors(t)
	if found["coatcheck"]["memory"] != writes || len(found) < 5 {
		t.Fatalf("read %v from benchmarks.md, want every library", found)
	}
	text := pages(t)[readme]
	before, rest, ok := strings.Cut(text, "<!-- survivors -->\n")
	_, after, ended := strings.Cut(rest, "<!-- end -->")
	if !ok || !ended {
		t.Fatal("README.md has no place for what survives")
	}
	want := before + "<!-- survivors -->\n" + comparison(found) + "<!-- end -->" + after
	if *update {
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("README.md does not have the figures of benchmarks.md: run go test ./docs -run Compares -update")
	}
}
