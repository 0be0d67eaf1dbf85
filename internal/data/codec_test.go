package data_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/data"
)

// slowly hides that a codec is JSON, so that nothing is decoded or encoded without it.
type slowly struct{ data.JSON }

// Unmarshal keeps numbers as they were written, as the library does where it knows that a codec is JSON.
func (slowly) Unmarshal(raw []byte, v any) error {
	if _, ok := v.(*any); !ok {
		return json.Unmarshal(raw, v)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}

// FuzzJSON: JSON that is decoded without reflection gives what encoding/json makes of it.
func FuzzJSON(f *testing.F) {
	for _, raw := range []string{
		"1", "-0", "01", "1.0", "1e3", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"true", "t", "null", `"x"`, `"\u0041"`, `"<"`, `"` + "\xff" + `"`, `""`, `"`, "", " 1", "1 2",
		`{"a":[1,2.5,{"b":null}]}`, "+1", "0x1", "1_0", "NaN",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		got, err := data.Value(data.JSON{}, raw)
		want, slowErr := data.Value(slowly{}, raw)
		if (err == nil) != (slowErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("Value(%q) = %#v, %v, want %#v, %v", raw, got, err, want, slowErr)
		}
		decodesAlike[string](t, raw)
		decodesAlike[int](t, raw)
		decodesAlike[int64](t, raw)
		decodesAlike[bool](t, raw)
		decodesAlike[int8](t, raw)
		decodesAlike[uint64](t, raw)
		decodesAlike[uint16](t, raw)
		decodesAlike[float64](t, raw)
		decodesAlike[float32](t, raw)
		decodesAlike[time.Time](t, raw)
		decodesAlike[[]byte](t, raw)
	})
}

func decodesAlike[T any](t *testing.T, raw []byte) {
	t.Helper()
	var got, want T
	err, slow := data.Decode(data.JSON{}, raw, &got), json.Unmarshal(raw, &want)
	if (err == nil) != (slow == nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("Decode(%q) into a %T = %v, %v, want %v, %v", raw, got, got, err, want, slow)
	}
}

func TestWhatIsEncodedQuicklyIsWhatJSONEncodes(t *testing.T) {
	for _, v := range []any{
		nil, true, false, 0, -1, int64(math.MinInt64), "", "plain", "<script>", "\u2028", "\xff", "\x80", `"\`,
		"a\nb", 1.5, []int{1}, uint8(7), int8(-8), int16(-300), int32(1 << 30), uint(9), uint16(65535), uint32(1 << 31),
		uint64(math.MaxUint64), 0.0, math.Copysign(0, -1), 1e-5, 9.99e-6, 1e-7, 1e20, 9.9e19, 1e21, math.MaxFloat64,
		math.SmallestNonzeroFloat64, float32(0.1), float32(3e7), float32(1e-5), float32(math.MaxFloat32),
		[]byte{}, []byte(nil), []byte{0, 0xfb, 0xff}, time.Time{}, time.Unix(1e9, 5).UTC(),
		time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600)),
	} {
		got, err := data.Encode(data.JSON{}, v)
		want, slow := json.Marshal(v)
		if err != nil || slow != nil || !bytes.Equal(got, want) {
			t.Errorf("Encode(%#v) = %s, %v, want %s, %v", v, got, err, want, slow)
		}
	}
}

// odd decodes into whatever types a codec may choose.
type odd struct{ data.JSON }

func (odd) Unmarshal(_ []byte, v any) error {
	*v.(*any) = map[any]any{
		"n": uint8(3), 4: []any{float32(0.5), uint64(1 << 63), int16(-1), 2.0}, "m": map[any]any{true: nil},
		"all": []any{int(1), int8(2), int32(3), int64(4), uint(5), uint16(6), uint32(7), uint64(8), -1.0 * (1 << 63)},
		"in":  map[string]any{"list": []any{map[any]any{"x": 1}}},
	}
	return nil
}

func TestGetGivesItsTypesWhateverTheCodecDecodes(t *testing.T) {
	got, err := data.Value(odd{}, []byte("1")) // which is JSON by chance
	want := map[string]any{
		"n": int64(3), "4": []any{0.5, float64(1 << 63), int64(-1), int64(2)}, "m": map[string]any{"true": nil},
		"all": []any{int64(1), int64(2), int64(3), int64(4), int64(5), int64(6), int64(7), int64(8),
			int64(math.MinInt64)},
		"in": map[string]any{"list": []any{map[string]any{"x": int64(1)}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Value = %#v, %v, want %#v", got, err, want)
	}
}

func TestANumberIsWholeIfItFits(t *testing.T) {
	for text, want := range map[string]any{
		"1e3": int64(1000), "1.5": 1.5, "-0.0": int64(0), "9223372036854775807": int64(math.MaxInt64),
		"9223372036854775808": float64(1 << 63), "9.223372036854775808e18": float64(1 << 63), "1e300": 1e300,
		"-9223372036854775808": int64(math.MinInt64), "-9.223372036854775808e18": int64(math.MinInt64),
		"-1e300": -1e300,
	} {
		if got, err := data.Value(data.JSON{}, []byte(text)); err != nil || got != want {
			t.Errorf("Value(%s) = %#v, %v, want %#v", text, got, err, want)
		}
	}
}

func TestNoErrorShowsAValue(t *testing.T) {
	const canary = "canary"
	_, value := data.Value(data.JSON{}, []byte(`{"x":`+canary))
	_, trailing := data.Value(data.JSON{}, []byte(`{} "`+canary+`"`))
	for what, err := range map[string]error{
		"a value": value, "data behind it": trailing,
		"a typed value":                data.Decode(data.JSON{}, []byte(`"`+canary+`"`), new(float64)),
		"a value that does not encode": data.NotEncoded("p", canary, strconv.ErrRange),
		"a refusal":                    data.Refusal("set", strings.Repeat("long.", 100), data.ErrOwn),
	} {
		if err == nil || strings.Contains(err.Error(), canary) || len(err.Error()) > 400 {
			t.Errorf("%s: %v, want a short error without it", what, err)
		}
	}
}
