//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// parseAccepted reads the mutants that nobody needs to notice: a line with the name of each, and below it, indented,
// why. Lines that begin with # are for the reader.
func parseAccepted(r io.Reader) (map[string]string, error) {
	accepted := make(map[string]string)
	name := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		why := strings.TrimSpace(line)
		switch {
		case why == "" || strings.HasPrefix(line, "#"):
		case why == line:
			if _, twice := accepted[line]; twice {
				return nil, fmt.Errorf("%q is there twice", line)
			}
			name = line
			accepted[name] = ""
		case name == "":
			return nil, fmt.Errorf("%q explains nothing: the name of a mutant comes first", why)
		default:
			accepted[name] = strings.TrimSpace(accepted[name] + " " + why)
		}
	}
	for name, why := range accepted {
		if why == "" {
			return nil, fmt.Errorf("%q is not explained: say why in an indented line below it", name)
		}
	}
	return accepted, lines.Err()
}

// stale returns the accepted names of these folders of which there is no mutant any more, sorted.
func stale(accepted map[string]string, folders []string, changes []change) []string {
	left := make(map[string]bool)
	for name := range accepted {
		file, _, _ := strings.Cut(name, ":")
		if slices.Contains(folders, path.Dir(file)) {
			left[name] = true
		}
	}
	for _, m := range changes {
		delete(left, m.name)
	}
	return slices.Sorted(maps.Keys(left))
}
