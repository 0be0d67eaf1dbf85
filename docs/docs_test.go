// Package docs_test keeps the pages of this folder true: what they name exists.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

var (
	link     = regexp.MustCompile(`\]\(([^)#:"]*)(?:#([^)]+))?\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	noSlug   = regexp.MustCompile(`[^a-z0-9 _-]`)
	testName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)`")
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	ruleName = regexp.MustCompile(`name: "([^"]+)"`)
	finding  = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

// readme is seen from this folder, in which the tests run.
const readme = "../README.md"

// pages returns the text of every page below this folder, and of the README.
func pages(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{readme: string(text)}
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".md" {
			return err
		}
		text, err := os.ReadFile(name)
		texts[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// found returns the first group of every match in the Go files below a folder whose names end so.
func found(t *testing.T, folder, suffix string, re *regexp.Regexp) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, suffix) {
			return err
		}
		text, err := os.ReadFile(name)
		for _, m := range re.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestLinksLeadSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := page
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))
			}
			text, err := os.ReadFile(target)
			if _, statErr := os.Stat(target); statErr != nil {
				t.Errorf("%s links to %s: %v", page, m[1], statErr)
			} else if m[2] != "" && (err != nil || !slices.Contains(anchors(string(text)), m[2])) {
				t.Errorf("%s links to #%s of %s, which has no such heading", page, m[2], target)
			}
		}
	}
}

// TestTheIndexHasEveryPage wants a link in docs/README.md to each page, but for those that have an index of their own.
func TestTheIndexHasEveryPage(t *testing.T) {
	var listed []string
	for _, m := range link.FindAllStringSubmatch(pages(t)["README.md"], -1) {
		listed = append(listed, filepath.FromSlash(m[1]))
	}
	for page := range pages(t) {
		own := page == readme || page == "README.md" || strings.HasPrefix(page, "decisions"+string(filepath.Separator))
		if !own && !slices.Contains(listed, page) {
			t.Errorf("docs/README.md does not list %s: nobody finds a page that no index names", page)
		}
	}
}

// anchors returns what the headings of a page are called in its address.
func anchors(text string) []string {
	var names []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return names
}

func TestNamedTestsExist(t *testing.T) {
	exist := found(t, "..", "_test.go", declared)
	for page, text := range pages(t) {
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(exist, m[1]) {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
	}
}

func TestNamedRulesExist(t *testing.T) {
	rules := found(t, filepath.Join("..", "sessiontest"), ".go", ruleName)
	_, table, ok := strings.Cut(pages(t)["writing-a-store.md"], "| mistake | rule |")
	if !ok {
		t.Fatal("writing-a-store.md has no table of mistakes")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	n := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			n++
			if !slices.Contains(rules, m[1]) {
				t.Errorf("writing-a-store.md names the rule %q, which does not exist", m[1])
			}
		}
	}
	if n < 20 {
		t.Errorf("found %d rules in the table, want them all", n)
	}
}

// TestTheChecklistIsTheAudit wants a line in security.md for every finding, and no others.
func TestTheChecklistIsTheAudit(t *testing.T) {
	m, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var want, got []string
	for _, f := range m.Audit() {
		want = append(want, f.Name)
	}
	for _, line := range finding.FindAllStringSubmatch(pages(t)["security.md"], -1) {
		got = append(got, line[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("security.md lists %q, want the findings of Audit in its order: %q", got, want)
	}
}
