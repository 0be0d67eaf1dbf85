package data

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/coatcheck/session/internal/envelope"
)

// maxParts keeps a value that is made by a path far from the depth that JSON decoders refuse.
const maxParts = 1000

// Join makes a path of parts, and escapes them so that each part is one step whatever it contains. A path to the
// library's own keys that is made so is refused everywhere.
func Join(parts ...string) string {
	text := joinPath(parts)
	if isOwn(text) {
		return ownEscape + text
	}
	return text
}

// ownEscape is what Join puts before a key that only constants may name. No path begins so otherwise, for Join doubles
// a backslash.
const ownEscape = `\`

func joinPath(parts []string) string {
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

// Path is a parsed path: the key, and the steps into its value.
type Path struct {
	key   string
	steps []string
}

func (p Path) isKey() bool { return len(p.steps) == 0 }

func (p Path) String() string { return joinPath(append([]string{p.key}, p.steps...)) }

// ParsePath parses a path to data of the application. The error is ErrOwn for the library's own.
func ParsePath(text string) (Path, error) {
	p, err := ParseConstant(text)
	if err == nil && isOwn(p.key) {
		return Path{}, ErrOwn
	}
	return p, err
}

// ParseConstant parses a path that is a constant of a program, and may lead to the library's own keys too. It splits at
// the dots. A backslash makes a dot or a backslash an ordinary character; before anything else it is one itself.
func ParseConstant(text string) (Path, error) {
	if strings.HasPrefix(text, ownEscape+envelope.OwnPrefix) {
		return Path{}, ErrOwn
	}
	if strings.IndexByte(text, '.') < 0 && strings.IndexByte(text, '\\') < 0 {
		if text == "" {
			return Path{}, errPath
		}
		return Path{key: text}, nil
	}
	parts := splitPath(text)
	if len(parts) > maxParts {
		return Path{}, errDeep
	}
	for i, part := range parts {
		// A key is kept as it is; what lies below is encoded with the value, and JSON would change it without a word.
		if part == "" || i > 0 && !utf8.ValidString(part) {
			return Path{}, errPath
		}
	}
	return Path{key: parts[0], steps: parts[1:]}, nil
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

// edit returns v with the value at the steps, of which there is one at least, replaced by what change makes of it.
// change is told whether something is there; it returns the new value, or false to leave nothing there. Parents that
// are missing are made as maps, and counted. v is changed in place where it can be.
func edit(v any, steps []string, change func(old any, ok bool) (any, bool, error)) (out any, made uint64, err error) {
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
		return without(list, i), 0, nil
	}
	list[i] = child
	return list, 0, nil
}

// without removes an element in place; the first of a queue without moving the others.
func without(list []any, i int) []any {
	if i == 0 {
		list[0] = nil
		return list[1:]
	}
	return slices.Delete(list, i, i+1)
}
