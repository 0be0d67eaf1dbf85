package pages_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var repository = filepath.Join("..", "..", "..", "..")

// A block is a piece of code of a page.
type block struct {
	page string // slashed, from the root of the repository
	line int    // where its first line is
	lang string // "" for one that is indented
	text string
}

// pagesOf returns the text of the README, of every page of docs and of the list of examples.
func pagesOf(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{"README.md": "", "CONTRIBUTING.md": "", "examples/README.md": ""}
	root := os.DirFS(repository)
	err := fs.WalkDir(root, "docs", func(name string, d fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".md" {
			texts[name] = ""
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range texts {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	return texts
}

// blocksOf returns the blocks of a page, in their order.
func blocksOf(page, text string) []block {
	var found []block
	var open *block
	n := 0
	end := func() {
		if open != nil {
			found = append(found, *open)
		}
		open = nil
	}
	for line := range strings.Lines(text) {
		n++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case isFence && open != nil && open.lang != "":
			end()
		case isFence:
			end()
			open = &block{page: page, line: n + 1, lang: fence + " "}
		case open != nil && open.lang != "":
			open.text += line
		case indented && open != nil:
			open.text += code
		case indented:
			open = &block{page: page, line: n, text: code}
		default:
			end()
		}
	}
	end()
	for i := range found {
		found[i].lang = strings.TrimSpace(found[i].lang)
	}
	return found
}

// allBlocks returns the blocks of all pages in one of the languages.
func allBlocks(t *testing.T, langs ...string) []block {
	t.Helper()
	var found []block
	for page, text := range pagesOf(t) {
		for _, b := range blocksOf(page, text) {
			for _, lang := range langs {
				if b.lang == lang {
					found = append(found, b)
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no page has a block in %q", langs)
	}
	return found
}

func TestBlocksAreFound(t *testing.T) {
	got := blocksOf("p.md", "Text.\n\n    one\n    two\n\n```go\na\n\n    b\n```\n```\nplain\n```\n- item\n")
	want := []block{{"p.md", 3, "", "one\ntwo\n"}, {"p.md", 7, "go", "a\n\n    b\n"}, {"p.md", 12, "", "plain\n"}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("blocksOf = %q, want %q", got, want)
	}
}
