package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxBody is far above what any form here sends.
const maxBody = 16 << 10

// input is the fields of a form or of a JSON object, as text.
type input map[string]string

// read reads the body, as what its Content-Type says. Parameters in the address do not count: they end up in histories
// and logs.
func read(r *http.Request) (input, error) {
	if r.PostForm != nil { // the guard of forms has looked for its token
		return fields(r.PostForm)
	}
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, wrong("The request is too large: send at most 16 KiB.")
	case err != nil:
		return nil, wrong("The request broke off in the middle.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return input{}, nil
	case err == nil && kind == "application/json":
		return readJSON(body)
	case err == nil && kind == "application/x-www-form-urlencoded":
		return readForm(string(body))
	}
	return nil, wrong("Content-Type: send a form (application/x-www-form-urlencoded) or a JSON object " +
		"(application/json).")
}

func readForm(body string) (input, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, wrong("The form cannot be read: %v.", err)
	}
	return fields(form)
}

func fields(form url.Values) (input, error) {
	in := make(input, len(form))
	for name, values := range form {
		if len(values) > 1 {
			return nil, wrong("%s: given more than once.", name)
		}
		in[name] = values[0]
	}
	return in, nil
}

func readJSON(body []byte) (input, error) {
	if !utf8.Valid(body) { // which the decoder would replace without a word
		return nil, wrong("The JSON is not valid UTF-8.")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, wrong("The body is not a JSON object.")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, wrong("There is more in the body after the JSON object.")
	}
	in := make(input, len(object))
	for name, value := range object {
		if err := in.add(name, value); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (in input) add(name string, value any) error {
	switch v := value.(type) {
	case nil:
	case string:
		in[name] = v
	case json.Number:
		in[name] = v.String()
	case bool:
		in[name] = map[bool]string{true: "true", false: "false"}[v]
	default:
		return wrong("%s: must be a text, a number, true or false.", name)
	}
	return nil
}

// text returns a field of 1 to limit bytes on one line.
func (in input) text(name string, limit int) (string, error) {
	value := in[name]
	switch {
	case value == "":
		return "", wrongField(name, "must not be empty.")
	case len(value) > limit:
		return "", wrongField(name, "has %d bytes, and at most %d are allowed.", len(value), limit)
	case !utf8.ValidString(value):
		return "", wrongField(name, "is not valid UTF-8.")
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", wrongField(name, "contains a control character.")
	}
	return value, nil
}

// checked returns whether a box is checked. An absent one is not.
func (in input) checked(name string) (bool, error) {
	switch in[name] {
	case "1", "true", "on":
		return true, nil
	case "", "0", "false", "off":
		return false, nil
	}
	return false, wrongField(name, "must be 1 or 0.")
}
