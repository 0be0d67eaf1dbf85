package dbsc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

const (
	errBase64 reason = "a part is not base64url without padding"
	errObject reason = "a part is no JSON object"
	errMember reason = "a JSON object has a member twice"
	errString reason = "a member that must be a string is none"
)

var strict = base64.RawURLEncoding.Strict()

// Encode is base64url without padding, the one spelling that decode reads.
func Encode(raw []byte) string { return strict.EncodeToString(raw) }

// decode reads base64url. Go skips line breaks in it, which would be another spelling.
func decode(text string) ([]byte, error) {
	for _, c := range []byte(text) {
		if !isAlpha(c) && !isDigit(c) && c != '-' && c != '_' {
			return nil, errBase64
		}
	}
	raw, err := strict.DecodeString(text)
	if err != nil {
		return nil, errBase64
	}
	return raw, nil
}

// object holds the members of a JSON object by their exact names.
type object map[string]json.RawMessage

// parseObject reads one JSON object and nothing after it. encoding/json would take the last of two members of one name,
// and one whose name differs in case.
func parseObject(raw []byte) (object, error) {
	if !utf8.Valid(raw) {
		return nil, errObject
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errObject
	}
	o := object{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errObject
		}
		if _, twice := o[name]; twice {
			return nil, errMember
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, errObject
		}
		o[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errObject
	}
	if _, err := dec.Token(); err == nil || dec.InputOffset() != int64(len(bytes.TrimRight(raw, " \t\r\n"))) {
		return nil, errObject
	}
	return o, nil
}

func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

// text is a member that must be a string.
func (o object) text(name string) (string, error) {
	raw := o[name]
	if len(raw) == 0 || raw[0] != '"' {
		return "", errString
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return "", errString
	}
	return text, nil
}

// bytes is a member that must be base64url.
func (o object) bytes(name string) ([]byte, error) {
	text, err := o.text(name)
	if err != nil {
		return nil, err
	}
	return decode(text)
}
