package data_test

import (
	"reflect"
	"testing"

	"github.com/coatcheck/session/internal/data"
)

// Where a value of this request is a part of what is stored, the whole is seen with that part in it.
func TestAWholeIsSeenWithThePartsOfThisRequest(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "map", map[string]int{"x": 1, "y": 1}))
	must(t, do(d, data.OpSet, "scalar", 5))
	cast(t, d, "map.x", 2)
	cast(t, d, "new.x", 3)
	cast(t, d, "scalar.x", 4) // which has no parts
	for path, want := range map[string]any{
		"map": map[string]any{"x": int64(2), "y": int64(1)}, "map.x": int64(2), "map.y": int64(1),
		"new": map[string]any{"x": int64(3)}, "new.x": int64(3), "new.y": nil, "scalar": int64(5), "scalar.x": nil,
	} {
		if got := get(t, d, path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	wantAll(t, again(t, d), map[string]any{"map": map[string]any{"x": int64(1), "y": int64(1)}, "scalar": int64(5)})
}

func TestAWholeOfThisRequestReplacesItsParts(t *testing.T) {
	d := new(data.Doc)
	cast(t, d, "a.x", 1)
	cast(t, d, "a", map[string]int{"y": 2})
	wantAll(t, d, map[string]any{"a": map[string]any{"y": int64(2)}})
	cast(t, d, "a.z", 3)
	wantAll(t, d, map[string]any{"a": map[string]any{"y": int64(2), "z": int64(3)}})
}

// A commit works on a copy. What was set for this request meanwhile, and no more, is set in it afterwards.
func TestWhatWasSetForThisRequestSinceIsKnown(t *testing.T) {
	d := new(data.Doc)
	for _, path := range []string{"a", "b", "a.x"} {
		since := d.Latest()
		if n := len(d.Shadows.Since(rules.Codec, since)); n != 0 {
			t.Errorf("before %s: %d values", path, n)
		}
		cast(t, d, path, map[string]int{"x": 1})
		list := d.Shadows.Since(rules.Codec, since)
		if len(list) != 1 || list[0].Path.String() != path[:1] {
			t.Errorf("after %s: %v", path, list)
		}
	}
}

// An update is made of what is stored, and hides what this request had set. Anything else is done to both.
func TestAnUpdateWorksOnWhatIsStored(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a", map[string]any{"n": 1, "list": []int{1}}))
	cast(t, d, "a", map[string]any{"n": 10, "list": []int{10}, "m": 5})
	p, err := data.ParsePath("a.n")
	must(t, err)
	must(t, d.Do(rules, data.Op{Kind: data.OpUpdate, Path: p, Fn: func(old []byte, _ bool) ([]byte, error) {
		return append([]byte("2"), old...), nil // 1 becomes 21
	}}, true))
	must(t, do(d, data.OpAdd, "a.list", 2))
	wantAll(t, d, map[string]any{"a": map[string]any{
		"n": int64(21), "list": []any{int64(10), int64(2)}, "m": int64(5),
	}})
	wantAll(t, again(t, d), map[string]any{"a": map[string]any{"n": int64(21), "list": []any{int64(1), int64(2)}}})
}

// Another request has consumed flash data that this one has shown, or set them anew.
func TestWhatWasShownStaysUnlessThereIsSomethingNewer(t *testing.T) {
	path := func(text string) data.Path {
		p, err := data.ParsePath(text)
		must(t, err)
		return p
	}
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a", 2))
	d.KeepShown(rules.Codec, []data.Shadow{{path("a"), []byte("1")}, {path("b"), []byte("1")}})
	wantAll(t, d, map[string]any{"a": int64(2), "b": int64(1)})
}

// What is stored is not done again by the next commit.
func TestAnOperationIsDoneOnce(t *testing.T) {
	var r record
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a", 1))
	r.save(t, d)
	if len(d.Ops) != 0 {
		t.Errorf("%d operations are left after a save", len(d.Ops))
	}
}
