package data

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendPlain appends what JSON makes of a value of a common type, without reflection. It reports false, and leaves the
// value to the codec, where that is not simple.
func appendPlain(dst []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), true
	case bool:
		return strconv.AppendBool(dst, v), true
	case string:
		if !isPlain(v) {
			return nil, false
		}
		return append(append(append(dst, '"'), v...), '"'), true
	case float64:
		return appendFloat(dst, v, 64)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case []byte:
		if v == nil {
			return nil, false
		}
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"'), true
	case time.Time:
		raw, err := v.MarshalJSON()
		return raw, err == nil
	}
	return appendInt(dst, v)
}

func appendInt(dst []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int8:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int16:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), true
	case int64:
		return strconv.AppendInt(dst, v, 10), true
	case uint:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10), true
	case uint64:
		return strconv.AppendUint(dst, v, 10), true
	}
	return nil, false
}

// appendFloat leaves to the codec what has an exponent in JSON, and what JSON cannot say.
func appendFloat(dst []byte, f float64, bits int) ([]byte, bool) {
	if abs := math.Abs(f); f != 0 && !(abs >= 1e-5 && abs < 1e20) {
		return nil, false
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits), true
}

// isPlain reports whether a string stands in JSON as it is.
func isPlain[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// unquoted returns what is in a string of JSON without escapes.
func unquoted(data []byte) ([]byte, bool) {
	n := len(data)
	if n < 2 || data[0] != '"' || data[n-1] != '"' || !isPlain(data[1:n-1]) {
		return nil, false
	}
	return data[1 : n-1], true
}

// decodePlain decodes the commonest types without reflection, and leaves everything unusual to the codec.
func decodePlain(data []byte, v any) bool {
	switch v := v.(type) {
	case *string:
		text, ok := unquoted(data)
		if ok {
			*v = string(text)
		}
		return ok
	case *bool:
		*v = string(data) == "true"
		return *v || string(data) == "false"
	case *float64:
		return decodeFloat(data, v, 64)
	case *float32:
		return decodeFloat(data, v, 32)
	case *[]byte:
		return decodeBytes(data, v)
	case *time.Time:
		_, ok := unquoted(data)
		return ok && v.UnmarshalJSON(data) == nil
	}
	return decodeInt(data, v)
}

func decodeInt(data []byte, v any) bool {
	switch v := v.(type) {
	case *int:
		return parseInt(data, v, strconv.IntSize)
	case *int8:
		return parseInt(data, v, 8)
	case *int16:
		return parseInt(data, v, 16)
	case *int32:
		return parseInt(data, v, 32)
	case *int64:
		return parseInt(data, v, 64)
	case *uint:
		return parseUint(data, v, strconv.IntSize)
	case *uint8:
		return parseUint(data, v, 8)
	case *uint16:
		return parseUint(data, v, 16)
	case *uint32:
		return parseUint(data, v, 32)
	case *uint64:
		return parseUint(data, v, 64)
	}
	return false
}

func parseInt[T int | int8 | int16 | int32 | int64](data []byte, v *T, bits int) bool {
	n, err := strconv.ParseInt(string(data), 10, bits)
	if err != nil || !isNumber(data) {
		return false
	}
	*v = T(n)
	return true
}

func parseUint[T uint | uint8 | uint16 | uint32 | uint64](data []byte, v *T, bits int) bool {
	n, err := strconv.ParseUint(string(data), 10, bits)
	if err != nil || !isNumber(data) {
		return false
	}
	*v = T(n)
	return true
}

func decodeFloat[T float32 | float64](data []byte, v *T, bits int) bool {
	f, err := strconv.ParseFloat(string(data), bits)
	if err != nil || !isNumber(data) {
		return false
	}
	*v = T(f)
	return true
}

// isNumber reports whether what strconv takes for a number may be one of JSON: those begin with a digit, zero alone
// with nothing but a fraction behind it.
func isNumber(data []byte) bool {
	if len(data) > 0 && data[0] == '-' {
		data = data[1:]
	}
	if len(data) == 0 || data[0] < '0' || data[0] > '9' || data[len(data)-1] == '.' {
		return false
	}
	return len(data) == 1 || data[0] != '0' || data[1] == '.'
}

func decodeBytes(data []byte, v *[]byte) bool {
	text, ok := unquoted(data)
	if !ok {
		return false
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(raw, text)
	if err != nil {
		return false
	}
	*v = raw[:n]
	return true
}

// plainValue decodes a short scalar of JSON.
func plainValue(data []byte) (any, bool) {
	if len(data) == 0 {
		return nil, false
	}
	switch data[0] {
	case '"':
		text, ok := unquoted(data)
		return string(text), ok
	case 't', 'f':
		var b bool
		ok := decodePlain(data, &b)
		return b, ok
	case 'n':
		return nil, string(data) == "null"
	}
	var n int64
	ok := parseInt(data, &n, 64)
	return n, ok
}
