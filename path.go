package session

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	errPath    = errors.New("session: a path and each of its parts must not be empty, and parts below the key are UTF-8")
	errDeep    = errors.New("session: the path has too many parts")
	errThrough = errors.New("session: the path leads through a value that has no parts")
	errIndex   = errors.New("session: the path names a list element that is not there")
	errNotList = errors.New("session: the value is not a list")
)

// maxParts keeps a value that is made by a path far from the depth that JSON decoders refuse.
const maxParts = 1000

// Path joins parts to a path, and escapes them so that each part is one step whatever it contains. Use it for keys
// that are made from user input: a dot in them would otherwise lead into a nested value.
func Path(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = escapePart(part)
	}
	return strings.Join(escaped, ".")
}

func escapePart(part string) string {
	if !strings.ContainsAny(part, `.\`) {
		return part
	}
	return strings.NewReplacer(`\`, `\\`, `.`, `\.`).Replace(part)
}

// path is a parsed path: the key, and the steps into its value.
type path struct {
	key   string
	steps []string
}

func (p path) isKey() bool { return len(p.steps) == 0 }

// covers reports whether other is at or below p.
func (p path) covers(other path) bool {
	if p.key != other.key || len(p.steps) > len(other.steps) {
		return false
	}
	for i, step := range p.steps {
		if other.steps[i] != step {
			return false
		}
	}
	return true
}

func (p path) String() string { return Path(append([]string{p.key}, p.steps...)...) }

// parsePath splits at the dots. A backslash makes a dot or a backslash an ordinary character; before anything else it is
// one itself.
func parsePath(text string) (path, error) {
	if !strings.ContainsAny(text, `.\`) {
		if text == "" {
			return path{}, errPath
		}
		return path{key: text}, nil
	}
	parts := splitPath(text)
	if len(parts) > maxParts {
		return path{}, errDeep
	}
	for i, part := range parts {
		// A key is kept as it is; what lies below is encoded with the value, and JSON would change it without a word.
		if part == "" || i > 0 && !utf8.ValidString(part) {
			return path{}, errPath
		}
	}
	return path{key: parts[0], steps: parts[1:]}, nil
}

func splitPath(text string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			i++
			part.WriteByte(text[i])
		case text[i] == '.':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	return append(parts, part.String())
}

// step goes one step into a decoded value.
func step(v any, name string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		child, ok := v[name]
		return child, ok
	case []any:
		if i, ok := index(name, len(v)); ok {
			return v[i], true
		}
	}
	return nil, false
}

// index reads the number of an element of a list of n.
func index(name string, n int) (int, bool) {
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 || i >= n || strconv.Itoa(i) != name {
		return 0, false
	}
	return i, true
}

func walk(v any, steps []string) (any, bool) {
	for _, name := range steps {
		var ok bool
		if v, ok = step(v, name); !ok {
			return nil, false
		}
	}
	return v, true
}

// edit returns v with the value at the steps replaced by what change makes of it. change is told whether something is
// there; it returns the new value, or false to leave nothing there. Parents that are missing are made as maps, and
// counted. v is changed in place where it can be.
func edit(v any, steps []string, change func(old any, ok bool) (any, bool, error)) (out any, made uint64, err error) {
	if len(steps) == 0 {
		out, _, err = change(v, true)
		return out, 0, err
	}
	switch v := v.(type) {
	case map[string]any:
		return editMap(v, steps, change)
	case []any:
		return editList(v, steps, change)
	}
	return nil, 0, errThrough
}

func editMap(m map[string]any, steps []string, change func(any, bool) (any, bool, error)) (any, uint64, error) {
	name, old := steps[0], any(nil)
	old, ok := m[name]
	if len(steps) == 1 {
		child, keep, err := change(old, ok)
		if err != nil {
			return nil, 0, err
		}
		if keep {
			m[name] = child
		} else {
			delete(m, name)
		}
		return m, 0, nil
	}
	var made uint64
	if !ok {
		old, made = map[string]any{}, 1
	}
	child, below, err := edit(old, steps[1:], change)
	if err != nil {
		return nil, 0, err
	}
	m[name] = child
	return m, made + below, nil
}

func editList(list []any, steps []string, change func(any, bool) (any, bool, error)) (any, uint64, error) {
	i, ok := index(steps[0], len(list))
	if !ok {
		return nil, 0, errIndex
	}
	if len(steps) > 1 {
		child, made, err := edit(list[i], steps[1:], change)
		if err != nil {
			return nil, 0, err
		}
		list[i] = child
		return list, made, nil
	}
	child, keep, err := change(list[i], true)
	if err != nil {
		return nil, 0, err
	}
	if !keep {
		return append(list[:i:i], list[i+1:]...), 0, nil
	}
	list[i] = child
	return list, 0, nil
}
