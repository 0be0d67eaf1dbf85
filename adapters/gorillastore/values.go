package gorillastore

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/coatcheck/session"
)

// wrapped marks what gob has encoded: the name of a key begins with it, and a value is a map with the one key "gob".
const wrapped = "gob:"

// encodeAll encodes the values of a gorilla session, each for itself.
func encodeAll(values map[any]any) (map[any]any, error) {
	encoded := make(map[any]any, len(values))
	for key, v := range values {
		name, err := nameOf(key)
		if err != nil {
			return nil, fmt.Errorf("a key of the type %T: %w", key, err)
		}
		if encoded[key], err = encode(v); err != nil {
			return nil, fmt.Errorf("the value of the key %q, of the type %T: %w", name, v, err)
		}
	}
	return encoded, nil
}

// Encode replaces the values by the form in which a Store keeps them, so that they come back with their types even if
// they are stored in another way: give it Old.Values in Options.Change of package takeover. The error names the keys
// whose values gob does not know; these values stay as they are.
func Encode(values map[string]any) (err error) {
	for key, v := range values {
		encoded, failed := encode(v)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("gorillastore: the value of the key %q, of the type %T: %w", key, v,
				failed))
			continue
		}
		values[key] = encoded
	}
	return err
}

// encode leaves as they are the values that come back from the session with their types, and those in lists and maps of
// such. All others go through gob.
func encode(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int:
		return v, nil
	case string:
		if utf8.ValidString(v) {
			return v, nil
		}
	case []any:
		return eachOf(v, encode)
	case map[string]any:
		if !isWrapped(v) && hasTextKeys(v) {
			return eachIn(v, encode)
		}
	}
	text, err := toGob(v)
	return map[string]any{"gob": text}, err
}

// decodeAll decodes what a session holds. What does not decode is left out.
func decodeAll(held map[string]any) map[any]any {
	values := make(map[any]any, len(held))
	for name, h := range held {
		key, keyErr := keyOf(name)
		v, err := decode(h)
		if keyErr == nil && err == nil {
			values[key] = v
		}
	}
	return values
}

func decode(v any) (any, error) {
	switch v := v.(type) {
	case int64:
		return int(v), nil
	case []any:
		return eachOf(v, decode)
	case map[string]any:
		if isWrapped(v) {
			return fromGob(v["gob"].(string))
		}
		return eachIn(v, decode)
	}
	return v, nil
}

func isWrapped(v map[string]any) bool {
	_, ok := v["gob"].(string)
	return ok && len(v) == 1
}

// hasTextKeys reports whether the keys come back as they are. JSON makes one character of all bytes that are no text.
func hasTextKeys(v map[string]any) bool {
	for key := range v {
		if !utf8.ValidString(key) {
			return false
		}
	}
	return true
}

func eachOf(v []any, code func(any) (any, error)) (any, error) {
	list := make([]any, len(v))
	for i := range v {
		var err error
		if list[i], err = code(v[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func eachIn(v map[string]any, code func(any) (any, error)) (any, error) {
	m := make(map[string]any, len(v))
	for key := range v {
		var err error
		if m[key], err = code(v[key]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// pathOf is where the session keeps the value of a key that has a name.
func pathOf(key any) string {
	name, _ := nameOf(key) // encodeAll has asked, or the key comes from a name
	return session.Path(name)
}

// nameOf is the key itself where it is a string that a session takes. The keys of this library begin with "coatcheck:",
// and the session refuses them.
func nameOf(key any) (string, error) {
	name, ok := key.(string)
	if ok && name != "" && utf8.ValidString(name) && !strings.HasPrefix(name, wrapped) &&
		!strings.HasPrefix(name, "coatcheck:") {
		return name, nil
	}
	text, err := toGob(key)
	return wrapped + text, err
}

func keyOf(name string) (any, error) {
	if text, ok := strings.CutPrefix(name, wrapped); ok {
		return fromGob(text)
	}
	return name, nil
}

func toGob(v any) (string, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&v); err != nil {
		return "", fmt.Errorf("%w; give the type to gob.Register", err)
	}
	return base64.RawStdEncoding.EncodeToString(b.Bytes()), nil
}

func fromGob(text string) (v any, err error) {
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	err = gob.NewDecoder(bytes.NewReader(raw)).Decode(&v)
	return v, err
}
