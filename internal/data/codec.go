package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Codec is session.Codec.
type Codec interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(data []byte, v any) error
}

// JSON is the default Codec. What is known of it here is used to decode small values without reflection.
type JSON struct{}

// Marshal is json.Marshal.
func (JSON) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

// Unmarshal is json.Unmarshal.
func (JSON) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// Encode encodes a value into bytes that nobody else holds; one of a common type without reflection where JSON is used.
func Encode(c Codec, v any) ([]byte, error) {
	if raw, ok := EncodePlain(c, v); ok {
		return raw, nil
	}
	return marshal(c, v)
}

// marshal has the codec encode a value. No bytes at all are a value too, and not nil.
func marshal(c Codec, v any) ([]byte, error) {
	raw, err := c.Marshal(v)
	if _, ok := c.(JSON); !ok {
		raw = append([]byte{}, raw...) // what a codec returns it may keep
	}
	return raw, err
}

// EncodePlain is Encode for the commonest types where JSON is used. Of others it reports false. It does not keep v.
func EncodePlain(c Codec, v any) ([]byte, bool) {
	if _, ok := c.(JSON); !ok {
		return nil, false
	}
	return appendPlain(nil, v)
}

// DecodePlain is Decode for the commonest types where JSON is used. Of others it reports false. It does not keep v.
func DecodePlain(c Codec, data []byte, v any) bool {
	_, ok := c.(JSON)
	return ok && decodePlain(data, v)
}

// Decode decodes into the value that v points to.
func Decode(c Codec, data []byte, v any) error {
	if DecodePlain(c, data, v) {
		return nil
	}
	// The data may be the store's own, and what decodes them may keep or change them.
	if err := c.Unmarshal(bytes.Clone(data), v); err != nil {
		return decodeFailure(v, err)
	}
	return nil
}

// decodeFailure names types only: the codec's own text may quote the value.
func decodeFailure(v any, cause error) error {
	return fmt.Errorf("does not decode as %s (%T)", strings.TrimPrefix(fmt.Sprintf("%T", v), "*"), cause)
}

// tree decodes a value into maps, lists and scalars. Numbers of JSON stay as they were written.
func tree(c Codec, data []byte) (any, error) {
	var v any
	if _, ok := c.(JSON); !ok {
		if err := c.Unmarshal(bytes.Clone(data), &v); err != nil {
			return nil, decodeFailure(&v, err)
		}
		return plainMaps(v), nil
	}
	if v, ok := plainValue(data); ok {
		if _, ok := v.(int64); ok {
			return json.Number(data), nil
		}
		return v, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, decodeFailure(&v, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, decodeFailure(&v, errTrailing)
	}
	return v, nil
}

var errTrailing = errors.New("session: data after the value")

// Value decodes into the types that Session.Get promises.
func Value(c Codec, data []byte) (any, error) {
	if _, ok := c.(JSON); ok {
		if v, ok := plainValue(data); ok {
			return v, nil
		}
	}
	v, err := tree(c, data)
	if err != nil {
		return nil, err
	}
	return settle(v), nil
}

// settle turns numbers into int64 where they are whole and fit, and into float64 otherwise.
func settle(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			v[k] = settle(child)
		}
	case []any:
		for i, child := range v {
			v[i] = settle(child)
		}
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
		f, _ := strconv.ParseFloat(string(v), 64) // out of range gives an infinity, as good as any answer
		return settleFloat(f)
	case float32:
		return settleFloat(float64(v))
	case float64:
		return settleFloat(v)
	default:
		return settleInt(v)
	}
	return v
}

func settleFloat(f float64) any {
	if n := int64(f); float64(n) == f && f < 1<<63 {
		return n
	}
	return f
}

// settleInt is for codecs that keep the sizes of whole numbers.
func settleInt(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint:
		return settleUint(uint64(v))
	case uint64:
		return settleUint(v)
	}
	return v
}

func settleUint(n uint64) any {
	if n < 1<<63 {
		return int64(n)
	}
	return float64(n)
}

// plainMaps gives every map the keys that paths need: some codecs decode into map[any]any.
func plainMaps(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, child := range v {
			m[fmt.Sprint(k)] = plainMaps(child)
		}
		return m
	case map[string]any:
		for k, child := range v {
			v[k] = plainMaps(child)
		}
	case []any:
		for i, child := range v {
			v[i] = plainMaps(child)
		}
	}
	return v
}
