package data_test

import (
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// Flash data are of one more request, whatever they lie in, and then nothing is left of them: otherwise each request
// that follows would store the session again.
func TestNothingIsLeftOfFlashData(t *testing.T) {
	for name, row := range map[string]struct {
		before, change func(d *data.Doc)
		want           map[string]any
	}{
		"a key": {change: func(d *data.Doc) { must(t, do(d, data.OpFlash, "f", 1)) }},
		"a part of what was made for it": {
			change: func(d *data.Doc) { must(t, do(d, data.OpFlash, "f.x.y", 1)) }},
		"a part of what was there": {
			before: func(d *data.Doc) { must(t, do(d, data.OpSet, "m", map[string]int{})) },
			change: func(d *data.Doc) { must(t, do(d, data.OpFlash, "m.x", 1)) },
			want:   map[string]any{"m": map[string]any{}}},
		"a part far below what was there": {
			before: func(d *data.Doc) { must(t, do(d, data.OpSet, "m", map[string]int{})) },
			change: func(d *data.Doc) { must(t, do(d, data.OpFlash, "m.a.b.c", 1)) },
			want:   map[string]any{"m": map[string]any{}}},
		"an element": {
			before: func(d *data.Doc) { must(t, do(d, data.OpSet, "l", []int{1, 2, 3})) },
			change: func(d *data.Doc) { must(t, do(d, data.OpFlash, "l.1", 9)) },
			want:   map[string]any{"l": []any{int64(1), int64(3)}}},
		"an element of a list in a map": {
			before: func(d *data.Doc) { must(t, do(d, data.OpSet, "m", map[string]any{"l": []int{1, 2, 3}})) },
			change: func(d *data.Doc) { must(t, do(d, data.OpFlash, "m.l.1", 9)) },
			want:   map[string]any{"m": map[string]any{"l": []any{int64(1), int64(3)}}}},
		"a part that a number names": {
			before: func(d *data.Doc) { must(t, do(d, data.OpSet, "m", map[string]int{"0": 1, "1": 2, "2": 3})) },
			change: func(d *data.Doc) {
				must(t, do(d, data.OpFlash, "m.1", 9))
				must(t, do(d, data.OpRemove, "m.0", nil))
			},
			want: map[string]any{"m": map[string]any{"2": int64(3)}}},
		"a map of which a part of a part was set": {
			change: func(d *data.Doc) {
				must(t, do(d, data.OpFlash, "m", map[string]any{"a": map[string]int{"b": 1, "c": 2}, "d": 3}))
				must(t, do(d, data.OpSet, "m.a.b", 5))
			},
			want: map[string]any{"m": map[string]any{"a": map[string]any{"b": int64(5)}}}},
		"a list of which an element was set": {
			change: func(d *data.Doc) {
				must(t, do(d, data.OpFlash, "l", []int{1, 2}))
				must(t, do(d, data.OpSet, "l.0", 5))
			},
			want: map[string]any{"l": []any{int64(5)}}},
		"a list of which an element was set and removed": {
			change: func(d *data.Doc) {
				must(t, do(d, data.OpFlash, "l", []int{1, 2}))
				must(t, do(d, data.OpSet, "l.0", 5))
				must(t, do(d, data.OpRemove, "l.0", nil))
			}},
	} {
		d := new(data.Doc)
		if row.before != nil {
			row.before(d)
		}
		d = again(t, d)
		row.change(d)
		var r record
		if r.save(t, d); d.State.HasOld() {
			t.Errorf("%s: the request that made it stores it again", name)
		}
		d = r.load(t)
		twin, err := clone(d)
		must(t, err)
		if aged, err := twin.State.Finish(rules); len(aged) == 0 || err != nil || !d.State.HasOld() {
			t.Errorf("%s: a copy is stored with %d that are over, %v; old here: %v", name, len(aged), err,
				d.State.HasOld())
		}
		r.save(t, d)
		if next := r.load(t); d.State.HasOld() || next.State.HasOld() {
			t.Errorf("%s: there are still flash data", name)
		} else if row.want == nil {
			wantAll(t, next, map[string]any{})
		} else {
			wantAll(t, next, row.want)
		}
	}
}

// What this request has made flash data is over with the next.
func TestFlashDataOfThisRequestAreNotOver(t *testing.T) {
	d := new(data.Doc)
	must(t, do(d, data.OpFlash, "old", 1))
	d = again(t, d)
	must(t, do(d, data.OpFlash, "f", 1))
	must(t, do(d, data.OpFlash, "g.x", 1))
	if aged, err := d.State.Finish(rules); len(aged) != 1 || aged[0].Path.String() != "old" || err != nil {
		t.Errorf("Finish = %v, %v, want the old ones alone", aged, err)
	}
}

// Flash data that are not where they should be, or in something that has no parts, are none any more. What is there
// stays as it is.
func TestFlashDataThatAreNotThereAreForgotten(t *testing.T) {
	for _, raw := range []string{"", "5", `"x"`, "[1]", `{"y":1}`, `{"x":5}`, `{"x":{"y":1}}`, "{", "null"} {
		var entries envelope.Entries
		if raw != "" {
			entries = envelope.AppendEntry(nil, "a", []byte(raw))
		}
		h := envelope.Header{FlashSeq: 1, Flashes: []envelope.Flash{{Path: "a.x.z", Seq: 1}, {Path: "b", Seq: 1}}}
		st := data.NewState(h, entries, 1)
		gone, err := st.Finish(rules)
		if err != nil || len(gone) != 0 || st.HasOld() {
			t.Errorf("%s: Finish = %v, %v, and flash data are left: %v", raw, gone, err, st.HasOld())
		}
		left := ""
		st.Each(func(_ string, raw []byte) { left += string(raw) })
		if left != raw {
			t.Errorf("%s became %s", raw, left)
		}
	}
}
