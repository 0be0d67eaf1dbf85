package importlaw

import (
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	maxColumns = 120
	tabColumns = 4

	whyColumns = "two files beside each other, a review and a terminal show 120 columns, and nobody reads what is " +
		"cut off"
	whyLabels = "a label of a list that is not in this repository tells its reader nothing; keep the sentence after it"
)

// longLines are the lines that have to be longer than others: how many a file has, and why. A file that has more of
// them, or fewer, fails the test.
var longLines = map[string]struct {
	n   int
	why string
}{
	"guard/device_test.go":  {14, "a user agent is one text, and stands beside what it is taken for"},
	"guard/example_test.go": {1, "the output of an example is compared line by line"},
}

// A line is one that breaks a law, with its number in the file.
type line struct {
	n    int
	text string
}

// tooLong returns the lines of a text that are wider than allowed. In Markdown it passes over what cannot be broken:
// the rows of tables, code, links and headings, and what a command has written between two marks.
func tooLong(name, text string) []line {
	judged := func(string) bool { return true }
	if path.Ext(name) == ".md" {
		judged = prose()
	}
	var found []line
	n := 0
	for l := range strings.Lines(text) {
		n++
		l = strings.TrimRight(l, "\r\n")
		if judged(l) && columns(l) > maxColumns {
			found = append(found, line{n, l})
		}
	}
	return found
}

func columns(l string) int {
	return utf8.RuneCountInString(l) + strings.Count(l, "\t")*(tabColumns-1)
}

// prose returns a function that is asked about each line of a page in turn, and reports whether it can be broken.
func prose() func(string) bool {
	fenced, written := false, false
	return func(l string) bool {
		trimmed := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			fenced = !fenced
			return false
		case strings.HasPrefix(trimmed, "<!--"):
			written = !strings.Contains(trimmed, "end")
			return false
		}
		return !fenced && !written && strings.Contains(trimmed, " ") && !strings.HasPrefix(l, "    ") &&
			!strings.HasPrefix(trimmed, "|") && !strings.HasPrefix(trimmed, "#") && !strings.HasPrefix(trimmed, "[")
	}
}

// label is the name of a row in somebody's list, such as a capital with a number. It stands in front of a sentence, in
// brackets or alone; what the world calls so, such as C1 or P99, is a word within one.
var label = func() *regexp.Regexp {
	const one = `(?:T-|N-T|[A-Z])\d{1,3}`
	return regexp.MustCompile(`\bT-[A-Z]+-\d+\b|(?:^|[(.] ?)` + one + `(?:(?:,| and)? ` + one + `)*(?:[:,.)]|$)`)
}()

// labels returns the lines of comments in Go source that begin or end with such a label.
func labels(src string) []line {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	s.Init(file, []byte(src), nil, scanner.ScanComments)
	var found []line
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return found
		}
		if tok != token.COMMENT {
			continue
		}
		for i, l := range strings.Split(text, "\n") {
			if label.MatchString(strings.TrimSpace(strings.TrimLeft(l, "/* \t"))) {
				found = append(found, line{fset.Position(pos).Line + i, l})
			}
		}
	}
}

// eachText calls fn with every file of the repository that has one of the endings.
func eachText(t *testing.T, fn func(name, text string), endings ...string) {
	t.Helper()
	err := filepath.WalkDir(repoRoot, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, err := filepath.Rel(repoRoot, name)
		if err != nil {
			return err
		}
		short = filepath.ToSlash(short)
		if d.IsDir() {
			if d.Name() == "testdata" || short == "out" || strings.HasPrefix(d.Name(), ".") && short != "." &&
				short != ".." {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(endings, path.Ext(short)) {
			return nil
		}
		text, err := os.ReadFile(name)
		fn(short, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// breaches returns one sentence for each line that breaks a law, but for those in the list of files that may, and one
// for each file of the list that does not.
func breaches(found map[string][]line, yet []string, what, why string) []string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if slices.Contains(yet, name) {
			continue
		}
		for _, l := range found[name] {
			said = append(said, fmt.Sprintf("%s:%d %s, but %s: %s", name, l.n, what, why, strings.TrimSpace(l.text)))
		}
	}
	for _, name := range yet {
		if len(found[name]) == 0 {
			said = append(said, name+" is mended, or gone: take it off the list, which only gets shorter")
		}
	}
	return said
}

// TestLinesHaveAtMost120Columns counts a tab as four of them.
func TestLinesHaveAtMost120Columns(t *testing.T) {
	found := map[string][]line{}
	eachText(t, func(name, text string) {
		found[name] = tooLong(name, text)
	}, ".go", ".md")
	for name, excused := range longLines {
		if got := len(found[name]); got != excused.n {
			t.Errorf("%s has %d long lines, and longLines says %d, because %s", name, got, excused.n, excused.why)
		}
		delete(found, name)
	}
	for _, sentence := range breaches(found, longYet, fmt.Sprintf("has more than %d columns", maxColumns), whyColumns) {
		t.Error(sentence)
	}
}

func TestCommentsHaveNoLabels(t *testing.T) {
	found := map[string][]line{}
	eachText(t, func(name, text string) {
		found[name] = labels(text)
	}, ".go")
	for _, sentence := range breaches(found, labelledYet, "has a label in a comment", whyLabels) {
		t.Error(sentence)
	}
}

func TestLongLinesAreFound(t *testing.T) {
	long := strings.Repeat("word ", 24) + "w" // 121 columns
	for _, tt := range []struct {
		name, text string
		want       int
	}{
		{"x.go", "// " + long[4:], 0},
		{"x.go", "// " + long, 1},
		{"x.go", "\t" + long[5:], 0},
		{"x.go", "\t" + long[4:], 1},
		{"x.go", strings.Repeat("é", 120), 0},
		{"x.go", long + "\n\n" + long + "\r\n", 2},
		{"x.md", long + "\n- " + long + "\n", 2},
		{"x.md", "| " + long + "|\n", 0},
		{"x.md", "```\n" + long + "\n```\n", 0},
		{"x.md", "```\n" + long + "\n```\n" + long, 1},
		{"x.md", "<!-- keys -->\n" + long + "\n<!-- end -->\n" + long, 1},
		{"x.md", "    " + long, 0},
		{"x.md", strings.Repeat("w", 130), 0},
	} {
		if got := tooLong(tt.name, tt.text); len(got) != tt.want {
			t.Errorf("tooLong(%s, %q) = %v, want %d lines", tt.name, tt.text, got, tt.want)
		}
	}
}

func TestLabelsAreFound(t *testing.T) {
	for _, text := range []string{
		"// S124: a sentence.", "// S24 S26, N9 and E6: a sentence.", "// T-LOG-1", "// It ends. E16.",
		"// It ends (A12).",
		"// N4", "/* S1: a sentence. */", "// N-T13 T-35: a sentence.", "var x int // T68", "// It is as T-DB-1 says.",
	} {
		if got := labels("package x\n" + text + "\n"); len(got) != 1 || got[0].n != 2 {
			t.Errorf("labels(%q) = %v, want line 2", text, got)
		}
	}
	for _, text := range []string{
		"// A name with a C1 control.", "// UTF-8, SHA-256 and H2 are words.", `var x = "S124: text"`,
		"// ASVS 7.2.3: a sentence.",
		"// Up to P99.", "// RFC 9110: a sentence.",
	} {
		if got := labels("package x\n" + text + "\n"); len(got) != 0 {
			t.Errorf("labels(%q) = %v, want none", text, got)
		}
	}
}

func TestListsOfWhatIsNotMendedOnlyGetShorter(t *testing.T) {
	found := map[string][]line{"new.go": {{7, "x"}}, "old.go": {{1, "y"}, {2, "z"}}}
	got := breaches(found, []string{"mended.go", "old.go"}, "is long", "that is bad")
	if len(got) != 2 || !strings.HasPrefix(got[0], "new.go:7 is long, but that is bad") ||
		!strings.HasPrefix(got[1], "mended.go is mended") {
		t.Errorf("breaches = %s, want a sentence about new.go and one about mended.go", quoted(got))
	}
}
