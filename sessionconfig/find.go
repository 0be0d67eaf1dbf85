package sessionconfig

import (
	"slices"
	"strings"
)

// find returns the entry of a path, what stands for "*", and whether the path is a group of keys.
func find(at []string) (e *entry, name string, group bool) {
	for i := range schema {
		pattern := strings.Split(schema[i].Name, ".")
		star, ok := match(pattern[:min(len(pattern), len(at))], at)
		switch {
		case !ok:
		case len(pattern) == len(at):
			return &schema[i], star, false
		default:
			group = true
		}
	}
	return nil, "", group
}

// match compares a pattern with a path of the same length.
func match(pattern, at []string) (star string, ok bool) {
	if len(pattern) != len(at) {
		return "", false
	}
	for i, part := range pattern {
		switch {
		case part == "*":
			star = at[i]
		case part != at[i]:
			return "", false
		}
	}
	return star, true
}

// within lists the keys that may stand below a path.
func within(at []string) []string {
	var list []string
	for _, e := range schema {
		pattern := strings.Split(e.Name, ".")
		if len(pattern) <= len(at) {
			continue
		}
		if _, ok := match(pattern[:len(at)], at); ok && !slices.Contains(list, pattern[len(at)]) {
			list = append(list, pattern[len(at)])
		}
	}
	return list
}
