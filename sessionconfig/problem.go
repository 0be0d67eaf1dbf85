package sessionconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a configuration. The error of [Load] joins all of them.
type Problem struct {
	Source string // the file, or the environment variable
	Key    string // as it stands there
	Found  string // "" for a value that is not to be shown
	Want   string // what to write instead, or what to do
}

// Error describes the mistake in one line.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Source)
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	if p.Found != "" {
		b.WriteString(": found " + p.Found)
	}
	return b.String() + ": " + p.Want
}

// wrong is a mistake in what a key says that shows only when it is used.
func wrong(key, format string, args ...any) *Problem {
	return &Problem{Source: "sessionconfig", Key: key, Want: fmt.Sprintf(format, args...)}
}

// maxShown is how much of a wrong value an error repeats.
const maxShown = 60

// show writes a value for an error.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		if inPlace.MatchString(v) {
			return "what may be a secret"
		}
		return fmt.Sprintf("%q", cut(v))
	case map[string]any:
		return "a group of keys (" + cut(strings.Join(names(v), ", ")) + ")"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	}
	return cut(fmt.Sprint(v))
}

func cut(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}

func names[T any](m map[string]T) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// suggest returns "did you mean …?" for the nearest of some names, "" when none is near.
func suggest(word string, known []string) string {
	best, at := "", 1+len(word)/3
	for _, name := range known {
		if d := distance(strings.ToLower(word), name); d <= at && (best == "" || d < at) {
			best, at = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s? ", best)
}

// distance is how many letters must be put in, left out or replaced (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := before
			if a[i] != b[j] {
				replaced++
			}
			before = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// oneOf lists names for people: "a, b or c".
func oneOf(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func sortProblems(list []*Problem) {
	slices.SortStableFunc(list, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key, b.Key))
	})
}
