package tools_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

var dockerBlock = regexp.MustCompile("(?ms)^```dockerfile\n(.*?)^```$")

// dockerfiles are those that people copy: of a page, and of the sites that the command line writes.
func dockerfiles(t *testing.T) map[string]string {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const site, page = "cmd/coatcheck/internal/starter/files/Dockerfile.tmpl", "docs/deploying.md"
	found := map[string]string{site: read(site)}
	for i, m := range dockerBlock.FindAllStringSubmatch(read(page), -1) {
		found[fmt.Sprintf("%s, block %d", page, i+1)] = m[1]
	}
	if len(found) < 2 {
		t.Fatalf("found %d Dockerfiles, want that of a new site and that of the page", len(found))
	}
	return found
}

// stagesOf reads a Dockerfile as the builder does.
func stagesOf(text string) ([]instructions.Stage, []string, error) {
	file, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	var warnings []string
	for _, w := range file.Warnings {
		warnings = append(warnings, w.Short)
	}
	stages, _, err := instructions.Parse(file.AST, nil)
	return stages, warnings, err
}

// wrongIn lists what the builder would stumble over, and whether the image would run as root.
func wrongIn(text string) []string {
	stages, wrong, err := stagesOf(text)
	if err != nil {
		return append(wrong, err.Error())
	}
	var names []string
	user := ""
	for _, stage := range stages {
		user = ""
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.CopyCommand:
				if c.From != "" && !slices.Contains(names, c.From) {
					wrong = append(wrong, "there is no stage "+c.From+" before")
				}
			case *instructions.UserCommand:
				user = c.User
			}
		}
		names = append(names, stage.Name)
	}
	if user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		wrong = append(wrong, "the image runs as root")
	}
	return wrong
}

func TestTheDockerfilesAreWhatBuildKitReads(t *testing.T) {
	for name, text := range dockerfiles(t) {
		for _, wrong := range wrongIn(text) {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

func TestADockerfileThatIsWrongIsFound(t *testing.T) {
	for text, want := range map[string]string{
		"FROM scratch\nCOPPY a b\nUSER 1\n":                                 "unknown instruction",
		"FROM scratch\nCOPY --from=build a b\nUSER 1\n":                     "no stage build",
		"FROM scratch\nCOPY --chwon=1 a b\nUSER 1\n":                        "unknown flag",
		"FROM golang AS build\nUSER 1\nFROM scratch\nCOPY --from=build a b": "as root",
		"FROM scratch\nUSER 0:0\n":                                          "as root",
		"RUN x\n":                                                           "",
	} {
		if wrong := wrongIn(text); len(wrong) == 0 || !strings.Contains(strings.Join(wrong, "; "), want) {
			t.Errorf("%q gives %q, want one with %q", text, wrong, want)
		}
	}
	if wrong := wrongIn("FROM golang AS build\nFROM scratch\nCOPY --from=build a b\nUSER 1\n"); len(wrong) > 0 {
		t.Errorf("a good one gives %q", wrong)
	}
}
