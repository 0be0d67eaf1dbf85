package sessionconfig

import (
	"net/http"

	"github.com/coatcheck/session"
)

// skipHeader is one header that switches sessions off for a request.
type skipHeader struct{ name, value string }

// skipHeaders reads every form in which the header can be given: its name, a map of name and value, the map with
// header_name and header_value that AuthX has, and a list of these. The value "*" stands for any.
func skipHeaders(v any) ([]skipHeader, error) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil, errKind
		}
		return []skipHeader{{v, "*"}}, nil
	case []any:
		var all []skipHeader
		for _, e := range v {
			some, err := skipHeaders(e)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	case map[string]any:
		return skipMap(v)
	}
	return nil, errKind
}

func skipMap(m map[string]any) ([]skipHeader, error) {
	if name, ok := m["header_name"].(string); ok && name != "" {
		value, given := m["header_value"].(string)
		if !given && m["header_value"] != nil || len(m) > 2 || len(m) == 2 && m["header_value"] == nil {
			return nil, errKind
		}
		if !given {
			value = "*"
		}
		return []skipHeader{{name, value}}, nil
	}
	var all []skipHeader
	for _, name := range names(m) {
		value, ok := m[name].(string)
		if !ok || name == "" || name == "header_value" {
			return nil, errKind
		}
		all = append(all, skipHeader{name, value})
	}
	if len(all) == 0 {
		return nil, errKind
	}
	return all, nil
}

// skip is the predicate of some headers, nil for none.
func skip(headers []skipHeader) func(*http.Request) bool {
	if len(headers) == 0 {
		return nil
	}
	tests := make([]func(*http.Request) bool, len(headers))
	for i, h := range headers {
		tests[i] = session.SkipHeader(h.name, h.value)
	}
	return func(r *http.Request) bool {
		for _, test := range tests {
			if test(r) {
				return true
			}
		}
		return false
	}
}
