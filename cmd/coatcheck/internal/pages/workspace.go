package pages

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	workLine = regexp.MustCompile(`(?m)^\t(\./\S+|\.)$`)
	workPath = regexp.MustCompile(`=> \./?(\S*)`)
)

// Workspace returns the go.work and the go.work.sum of a folder elsewhere whose module sees those of this repository.
func Workspace(root string) (work, sum string, err error) {
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	sums, failed := os.ReadFile(filepath.Join(root, "go.work.sum"))
	if err = errors.Join(err, failed); err != nil {
		return "", "", err
	}
	work = workLine.ReplaceAllStringFunc(string(text), func(line string) string {
		return "\t" + filepath.ToSlash(filepath.Join(root, strings.TrimSpace(line)))
	})
	return workPath.ReplaceAllString(work, "=> "+filepath.ToSlash(root)+"/$1") + "\nuse .\n", string(sums), nil
}

// GoEnv is what the go command needs besides to work in a workspace, "" for that of its folder. It compiles as .ci/run
// has done before, so that nothing is compiled again.
func GoEnv(work string) []string {
	return []string{"GOWORK=" + work, "GOFLAGS=-trimpath", "CGO_ENABLED=0"}
}
