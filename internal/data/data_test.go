package data_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// What two requests do at the same time is both kept: the one that comes too late does its operations again on what the
// other has left.
func ExampleDoc_Replay() {
	rules := data.Rules{Codec: data.JSON{}, MaxBytes: 1 << 16}
	items, err := data.ParsePath("cart.items")
	if err != nil {
		fmt.Println(err)
	}
	var first, second data.Doc
	for d, item := range map[*data.Doc]string{&first: `"tea"`, &second: `"milk"`} {
		more := &data.More{List: [][]byte{[]byte(item)}}
		if err := d.Do(rules, data.Op{Kind: data.OpAdd, Path: items, More: more}, false); err != nil {
			fmt.Println(err)
		}
	}
	if _, err := first.State.Finish(rules); err != nil {
		fmt.Println(err)
	}
	header, entries, err := envelope.Parse(first.State.Append(nil)) // what a store has kept of the first request
	if err != nil {
		fmt.Println(err)
	}
	second.State = data.NewState(header, entries, 0)
	if err := second.Replay(rules.Codec); err != nil {
		fmt.Println(err)
	}
	raw, _, _ := second.Look(rules.Codec, items)
	fmt.Printf("%s\n", raw)
	// Output: ["tea","milk"]
}

func TestManyChangesOfOneRequestAreKept(t *testing.T) {
	for _, keys := range []int{1, 11, 12, 13, 14, 200} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			d, want := new(data.Doc), map[string]any{"last": true}
			for _, offset := range []int{1000, 0} {
				for i := range keys {
					must(t, do(d, data.OpSet, fmt.Sprintf("k%d", i), offset+i))
					want[fmt.Sprintf("k%d", i)] = int64(offset + i)
				}
			}
			must(t, do(d, data.OpRemove, "k0", nil))
			must(t, do(d, data.OpSet, "last", true))
			delete(want, "k0")
			wantAll(t, d, want)
			wantAll(t, again(t, d), want)
		})
	}
}

func TestACopyIsChangedByItself(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a.b", 1))
	must(t, do(d, data.OpFlash, "a.f", 1))
	cast(t, d, "now", 1)
	w, err := clone(d)
	must(t, err)
	must(t, do(&w, data.OpSet, "a.b", 2))
	must(t, do(&w, data.OpSet, "a.f", 2))
	cast(t, &w, "now", 2)
	must(t, do(d, data.OpSet, "a.c", 3))
	wantAll(t, d, map[string]any{"a": map[string]any{"b": int64(1), "c": int64(3), "f": int64(1)}, "now": int64(1)})
	wantAll(t, &w, map[string]any{"a": map[string]any{"b": int64(2), "f": int64(2)}, "now": int64(2)})
	wantAll(t, again(t, again(t, d)), map[string]any{"a": map[string]any{"b": int64(1), "c": int64(3)}})
	wantAll(t, again(t, again(t, &w)), map[string]any{"a": map[string]any{"b": int64(2), "f": int64(2)}})
}

func TestAValueOfThisRequestHidesWhatIsStored(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a", map[string]int{"x": 1, "y": 1}))
	cast(t, d, "a.x", 2)
	wantAll(t, d, map[string]any{"a": map[string]any{"x": int64(2), "y": int64(1)}})
	must(t, do(d, data.OpSet, "a.x", 3))
	if got := get(t, d, "a.x"); got != int64(3) {
		t.Errorf("after a set that follows, a.x = %v, want 3", got)
	}
	cast(t, d, "a.y", 4)
	must(t, do(d, data.OpClear, "unused", nil))
	wantAll(t, d, map[string]any{})
	cast(t, d, "b", 5)
	wantAll(t, again(t, d), map[string]any{})
}

func TestFlashDataThatACommitRemovedAreSeenToTheEndOfTheRequest(t *testing.T) {
	var r record
	d := r.load(t)
	must(t, do(d, data.OpFlash, "f.x", 1))
	r.save(t, d)
	d = r.load(t)
	must(t, do(d, data.OpSet, "n", 1))
	r.save(t, d)
	if get(t, d, "f.x") != int64(1) || d.State.HasOld() {
		t.Errorf("after a save f.x = %v, and old flash data: %v", get(t, d, "f.x"), d.State.HasOld())
	}
	if ops := d.Reflashed(rules.Codec, []string{"f"}); len(ops) != 1 || ops[0].Path.String() != "f.x" {
		t.Errorf("Reflashed = %v, want f.x", ops)
	}
	wantAll(t, r.load(t), map[string]any{"n": int64(1)})
}

func TestASwapOfAValueThatIsThereNoMoreDoesNothing(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "n", 1))
	p, err := data.ParsePath("n")
	must(t, err)
	o := data.Op{Kind: data.OpUpdate, Path: p}
	for _, row := range []struct {
		old  string
		had  bool
		done bool
	}{{"2", true, false}, {"", false, false}, {"1", true, true}, {"1", true, false}} {
		done, err := d.Swap(rules, o, data.Seen{Raw: []byte(row.old), OK: row.had}, []byte("5"))
		if done != row.done || err != nil {
			t.Errorf("Swap(%q, %v) = %v, %v, want %v", row.old, row.had, done, err, row.done)
		}
	}
	if got := get(t, d, "n"); got != int64(5) || len(d.Ops) != 2 {
		t.Errorf("n = %v after %d operations, want 5 after a set and an update", got, len(d.Ops))
	}
}

// What the program has put into a value may not encode any more. Then nothing is stored in its place.
func TestAValueThatDoesNotEncodeAnyMoreIsNotStored(t *testing.T) {
	r := record(nil)
	first := new(data.Doc)
	must(t, do(first, data.OpSet, "a.b", 1))
	r.save(t, first)
	changed := func() *data.Doc {
		d := r.load(t)
		must(t, do(d, data.OpSet, "a.b", 2))
		if d.State.Empty() {
			t.Error("a session with data is empty")
		}
		return d
	}
	if _, err := changed().State.Finish(data.Rules{Codec: mute{}, MaxBytes: 1000}); err == nil {
		t.Error("Finish: no error")
	}
	if err := changed().Share(mute{}); err == nil {
		t.Error("Share: no error")
	}
	if err := changed().Do(data.Rules{Codec: mute{}, MaxBytes: 1000}, data.Op{Kind: data.OpClear}, true); err == nil {
		t.Error("Clear: no error")
	}
	if r.load(t).State.Empty() {
		t.Error("a stored session with data is empty")
	}
}

func TestAPathThroughWhatHasNoSuchPartIsRefused(t *testing.T) {
	value := map[string]any{"n": 5, "l": []any{1, map[string]int{"x": 1}}, "m": map[string]any{"s": "text"}}
	for _, path := range []string{
		"v.n.x", "v.l.0.x", "v.l.1.x.y", "v.m.s.t", "v.l.2", "v.l.x", "v.l.-1", "v.l.01", "v.l.1.x.0",
	} {
		for _, kind := range []data.OpKind{data.OpSet, data.OpFlash, data.OpAdd} {
			d := new(data.Doc)
			must(t, do(d, data.OpSet, "v", value))
			before := all(t, d)
			if err := do(d, kind, path, 7); err == nil || len(d.Ops) != 1 {
				t.Errorf("%v %s = %v", kind, path, err)
			}
			wantAll(t, d, before)
		}
	}
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "v", value))
	for _, path := range []string{"v.l.0", "v.l.1.y", "v.m.t.u"} {
		if must(t, do(d, data.OpSet, path, 7)); get(t, d, path) != int64(7) {
			t.Errorf("%s = %v, want 7", path, get(t, d, path))
		}
	}
}

func TestAnElementOfAListInAListIsRemoved(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "v", []any{[]int{1, 2, 3}, 5}))
	for path, want := range map[string]any{"v.0.0": []any{int64(2), int64(3)}, "v.0.1": []any{int64(1), int64(3)}} {
		w, err := clone(d)
		must(t, err)
		must(t, do(&w, data.OpRemove, path, nil))
		wantAll(t, &w, map[string]any{"v": []any{want, int64(5)}})
	}
}

func TestOneOperationMayExceedTheLimitAndNoMore(t *testing.T) {
	small := data.Rules{Codec: data.JSON{}, MaxBytes: 20}
	set := func(d *data.Doc, path, value string) error {
		p, err := data.ParsePath(path)
		must(t, err)
		return d.Do(small, data.Op{Kind: data.OpSet, Path: p, Raw: []byte(`"` + value + `"`)}, false)
	}
	d := new(data.Doc)
	must(t, set(d, "a", strings.Repeat("x", 15)))
	must(t, set(d, "b", "y"))
	var size *data.SizeError
	if !errors.As(d.State.Above(), &size) || size.Path != "b" || size.Limit != 20 {
		t.Errorf("Above = %v, want a SizeError that names b", d.State.Above())
	}
	if err := set(d, "c", "z"); !errors.As(err, &size) || size.Path != "c" {
		t.Errorf("a further set = %v, want a SizeError that names c", err)
	}
	if _, err := d.State.Finish(small); !errors.As(err, &size) || size.Path != "b" {
		t.Errorf("Finish = %v, want a SizeError that names b", err)
	}
	must(t, set(d, "a", ""))
	if _, err := d.State.Finish(small); err != nil || d.State.Above() != nil {
		t.Errorf("after room was made: Finish = %v, Above = %v", err, d.State.Above())
	}
}

// A commit works on a copy while the request goes on, also with a part of a value that the copy has as a whole.
func TestAPartThatIsChangedDoesNotReachTheCopy(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a", map[string]int{"b": 1}))
	w, err := clone(d)
	must(t, err)
	must(t, do(d, data.OpSet, "a.b", 2))
	wantAll(t, &w, map[string]any{"a": map[string]any{"b": int64(1)}})
	wantAll(t, d, map[string]any{"a": map[string]any{"b": int64(2)}})
	wantAll(t, again(t, &w), map[string]any{"a": map[string]any{"b": int64(1)}})
}

// A set ends what Cast began, so that there is nothing of this request left to be kept for the next.
func TestAValueThatWasSetIsNoMoreOfThisRequestOnly(t *testing.T) {
	d := new(data.Doc)
	cast(t, d, "a", 1)
	must(t, do(d, data.OpSet, "a", 2))
	if ops := d.Reflashed(rules.Codec, nil); len(ops) != 0 {
		t.Errorf("Reflashed = %v, want nothing", ops)
	}
}

// mute is JSON that encodes and decodes nothing any more.
type mute struct{ data.JSON }

func (mute) Marshal(any) ([]byte, error) { return nil, errors.New("mute") }

func (mute) Unmarshal([]byte, any) error { return errors.New("deaf") }

func TestAFailureOfTheCodecIsNoValue(t *testing.T) {
	if _, err := data.Encode(mute{}, 1); err == nil {
		t.Error("what does not encode is encoded")
	}
	if v, err := data.Value(mute{}, []byte("1")); err == nil {
		t.Errorf("what does not decode is %v", v)
	}
	for _, text := range []string{"", " ", "{", "1 2", "[1]x", "[1]]"} {
		if v, err := data.Value(data.JSON{}, []byte(text)); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
	var n int
	if err := data.Decode(mute{}, []byte("1"), &n); err == nil {
		t.Errorf("what does not decode is %d", n)
	}
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "list", []int{1}))
	p, err := data.ParsePath("list")
	must(t, err)
	o := data.Op{Kind: data.OpAdd, Path: p, More: &data.More{List: [][]byte{[]byte("2"), []byte("not JSON")}}}
	if err := d.Do(rules, o, false); err == nil || len(d.Ops) != 1 {
		t.Errorf("Do = %v after %d operations, want an error and one", err, len(d.Ops))
	}
	wantAll(t, d, map[string]any{"list": []any{int64(1)}})
}

func TestAValueThatDoesNotEncodeAnyMoreIsNotRead(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "a.b", 1))
	must(t, do(d, data.OpSet, "a.b", 2))
	p, err := data.ParsePath("a")
	must(t, err)
	if raw, ok, err := d.Look(mute{}, p); ok || err == nil {
		t.Errorf("Look = %q, %v, %v, want an error", raw, ok, err)
	}
}
