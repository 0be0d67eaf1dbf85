package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/coatcheck/session/internal/envelope"
)

// reason is why an operation is refused, without its path.
type reason string

func (r reason) Error() string { return string(r) }

const (
	errPath    reason = "a path and each of its parts must not be empty, and parts below the key are UTF-8"
	errDeep    reason = "the path has too many parts"
	errOwn     reason = "keys that begin with " + envelope.OwnPrefix + " are the library's own; choose another name"
	errThrough reason = "the path leads through a value that has no parts"
	errIndex   reason = "the path names a list element that is not there"
	errNotList reason = "the value is not a list"
)

// refusal is the error of an operation that was refused: it names what was to be done and the path, and never a value.
func refusal(what, text string, err error) error {
	return fmt.Errorf("session: %s %q: %w", what, shown(text), err)
}

// maxShown is how much of a path an error shows: it may be made from user input.
const maxShown = 200

func shown(path string) string {
	if len(path) > maxShown {
		return strings.ToValidUTF8(path[:maxShown], "") + "…"
	}
	return path
}

// maxParts keeps a value that is made by a path far from the depth that JSON decoders refuse.
const maxParts = 1000

// Path joins parts to a path, and escapes them so that each part is one step whatever it contains. Use it for keys
// that are made from user input: a dot in them would otherwise lead into a nested value. What it returns for the library's
// own keys, which begin with "coatcheck:", is refused everywhere, also by a [Key].
func Path(parts ...string) string {
	text := joinPath(parts)
	if isOwn(text) {
		return ownEscape + text
	}
	return text
}

// ownEscape is what Path puts before a key that only constants may name. No path begins so otherwise, for Path doubles a backslash.
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

// path is a parsed path: the key, and the steps into its value.
type path struct {
	key   string
	steps []string
}

func (p path) isKey() bool { return len(p.steps) == 0 }

func (p path) String() string { return joinPath(append([]string{p.key}, p.steps...)) }

// parseData parses a path to data of the application.
func parseData(text string) (path, error) {
	p, err := parsePath(text)
	if err == nil && isOwn(p.key) {
		return path{}, errOwn
	}
	return p, err
}

// parsePath splits at the dots. A backslash makes a dot or a backslash an ordinary character; before anything else it is
// one itself.
func parsePath(text string) (path, error) {
	if strings.HasPrefix(text, ownEscape+envelope.OwnPrefix) {
		return path{}, errOwn
	}
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
