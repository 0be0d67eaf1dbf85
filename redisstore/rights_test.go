package redisstore_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The package comment names every command that the scripts and the code send, and no other: a user of the server with
// one too few is answered with outages, one with more may do what nobody needs.
func TestTheRightsInThePackageCommentAreThoseThatAreUsed(t *testing.T) {
	used := sentBy(t, "lua/*.lua", `redis\.p?call\('([A-Z]+)'`)
	used = append(used, sentBy(t, "*.go", `query\("([A-Z]+)"`)...)
	used = append(used, sentBy(t, "*.go", `(?:\.B\(\)|\bb)\.([A-Z][a-z]+)\(`)...)
	used = slices.DeleteFunc(used, func(command string) bool { return command == "arbitrary" })
	named := namedRights(t)
	slices.Sort(used)
	slices.Sort(named)
	if used = slices.Compact(used); !slices.Equal(named, used) {
		t.Errorf("the package comment names the rights\n%v, and these are used\n%v", named, used)
	}
}

// sentBy returns what the pattern finds in the files that are no tests, in lower case.
func sentBy(t *testing.T, files, pattern string) (commands []string) {
	t.Helper()
	names, err := filepath.Glob(files)
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d files, %v", files, len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			commands = append(commands, strings.ToLower(string(found[1])))
		}
	}
	return commands
}

// namedRights are the commands in the package comment, but for the last line, which is the client's own.
func namedRights(t *testing.T) (commands []string) {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rights, _ := strings.Cut(string(text), "ACL SETUSER")
	rights, _, _ = strings.Cut(rights, "\n//\n")
	lines := strings.Split(strings.TrimSpace(rights), "\n")
	for word := range strings.FieldsSeq(strings.Join(lines[:len(lines)-1], "\n")) {
		if command, ok := strings.CutPrefix(word, "+"); ok {
			commands = append(commands, command)
		}
	}
	return commands
}
