package data_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// limited does operations within a limit of so many bytes.
type limited struct {
	t     *testing.T
	doc   data.Doc
	rules data.Rules
}

func within(t *testing.T, bytes int) *limited {
	return &limited{t: t, rules: data.Rules{Codec: data.JSON{}, MaxBytes: bytes}}
}

func (l *limited) do(kind data.OpKind, path, value string) error {
	l.t.Helper()
	p, err := data.ParsePath(path)
	must(l.t, err)
	return l.doc.Do(l.rules, data.Op{Kind: kind, Path: p, Raw: []byte(`"` + value + `"`)}, false)
}

func (l *limited) set(path, value string) error {
	l.t.Helper()
	return l.do(data.OpSet, path, value)
}

// A key of one byte and a value of 17 in its quotes are 20 bytes.
func TestASessionMayBeAsLargeAsTheLimitToTheByte(t *testing.T) {
	l := within(t, 20)
	must(t, l.set("a", strings.Repeat("x", 17)))
	if err := l.doc.State.Above(); err != nil {
		t.Errorf("with 20 bytes of 20: %v", err)
	}
	must(t, l.set("a", strings.Repeat("x", 18)))
	var size *data.SizeError
	if err := l.doc.State.Above(); !errors.As(err, &size) || size.Size != 21 || size.More != 1 {
		t.Errorf("with 21 bytes of 20: %v, want a SizeError of 21 bytes, 1 of them too many", err)
	}
}

// Whatever a session is made of, it is stored if it is not larger than the limit, to the byte.
func TestTheLimitCountsAllThatIsStored(t *testing.T) {
	for name, change := range map[string]func(d *data.Doc){
		"nothing":         func(*data.Doc) {},
		"a longer value":  func(d *data.Doc) { must(t, do(d, data.OpSet, "old", strings.Repeat("x", 50))) },
		"a shorter value": func(d *data.Doc) { must(t, do(d, data.OpSet, "old", "")) },
		"another key":     func(d *data.Doc) { must(t, do(d, data.OpSet, "new", strings.Repeat("x", 50))) },
		"a part":          func(d *data.Doc) { must(t, do(d, data.OpSet, "map.part", strings.Repeat("x", 50))) },
		"flash data":      func(d *data.Doc) { must(t, do(d, data.OpFlash, "map.flash", strings.Repeat("x", 50))) },
		"a removal":       func(d *data.Doc) { must(t, do(d, data.OpRemove, "map", nil)) },
		"a list": func(d *data.Doc) {
			must(t, do(d, data.OpAdd, "list", "x"))
			must(t, do(d, data.OpAdd, "list", "y"))
		},
		"all new": func(d *data.Doc) {
			must(t, do(d, data.OpClear, "x", nil))
			must(t, do(d, data.OpSet, "new", strings.Repeat("x", 150)))
		},
	} {
		var r record
		first := new(data.Doc)
		must(t, do(first, data.OpSet, "old", "value"))
		must(t, do(first, data.OpSet, "map.part", "value"))
		r.save(t, first)
		changed := func() *data.Doc {
			d := r.load(t)
			must(t, do(d, data.OpFlash, strings.Repeat("f", 100), "stays")) // of this request
			change(d)
			return d
		}
		d := changed()
		if _, err := d.State.Finish(rules); err != nil {
			t.Fatal(err)
		}
		size := d.State.Size()
		smaller := size <= r.load(t).State.Size() // than it was, so that a limit that was lowered does not matter
		for limit, want := range map[int]bool{size + 1: true, size: true, size - 1: smaller} {
			_, err := changed().State.Finish(data.Rules{Codec: data.JSON{}, MaxBytes: limit})
			var tooLarge *data.SizeError
			if (err == nil) != want || err != nil && (!errors.As(err, &tooLarge) || tooLarge.Size != size) {
				t.Errorf("%s, %d bytes of %d: Finish = %v", name, size, limit, err)
			}
		}
	}
}

// A session from before the limit was lowered is stored as long as it does not grow.
func TestALimitThatWasLoweredRefusesGrowthAlone(t *testing.T) {
	for name, flashes := range map[string]string{"with flash data": strings.Repeat("f", 100), "without": "f"} {
		var r record
		d := new(data.Doc)
		must(t, do(d, data.OpSet, "a", strings.Repeat("x", 200)))
		if flashes != "f" {
			must(t, do(d, data.OpFlash, flashes, "stays"))
		}
		r.save(t, d)
		h, entries, err := envelope.Parse(r)
		must(t, err)
		size := d.State.Size()
		for _, limit := range []int{size - 1, size - 50, 1} {
			for more, refused := range []bool{false, true} {
				l := within(t, limit)
				l.doc.State = data.NewState(h, entries, 0) // whose flash data are of this request
				must(t, l.set("a", strings.Repeat("y", 200+more)))
				if _, err := l.doc.State.Finish(l.rules); refused != errors.As(err, new(*data.SizeError)) {
					t.Errorf("%s, %d bytes more than %d of %d: Finish = %v", name, more, size, limit, err)
				}
			}
			l := within(t, limit)
			l.doc.State = data.NewState(h, entries, 0)
			must(t, l.set("a", ""))
			for _, path := range []string{"b", "c", "d"} { // for which there is room now
				must(t, l.set(path, strings.Repeat("y", 50)))
			}
		}
	}
}

// What goes with this request takes no room from what the request sets.
func TestFlashDataThatAreSeenForTheLastTimeTakeNoRoom(t *testing.T) {
	var r record
	d := new(data.Doc)
	must(t, do(d, data.OpFlash, "f", strings.Repeat("x", 900)))
	r.save(t, d)
	l := within(t, 1000)
	l.doc = *r.load(t)
	for _, path := range []string{"a", "b", "c"} {
		must(t, l.set(path, strings.Repeat("x", 300)))
	}
	if _, err := l.doc.State.Finish(l.rules); err != nil || l.doc.State.Above() != nil {
		t.Errorf("Finish = %v, Above = %v", err, l.doc.State.Above())
	}
}

// What is done again on a newer state is measured by the commit.
func TestAReplayIsNotMeasured(t *testing.T) {
	l := within(t, 100)
	must(t, l.set("a", "x"))
	l.doc.State = data.State{}
	must(t, l.doc.Replay(l.rules.Codec))
	if err := l.doc.State.Above(); err != nil {
		t.Errorf("after a replay: %v", err)
	}
}

// Only what makes a session larger that is too large already is refused.
func TestWhatIsAsLongAsBeforeIsNotRefused(t *testing.T) {
	l := within(t, 20)
	must(t, l.set("a", strings.Repeat("x", 30)))
	must(t, l.set("a", strings.Repeat("y", 30)))
	if err := l.set("a", strings.Repeat("y", 31)); !errors.As(err, new(*data.SizeError)) {
		t.Errorf("a byte more = %v, want a SizeError", err)
	}
	must(t, l.set("a", strings.Repeat("y", 17)))
	if _, err := l.doc.State.Finish(l.rules); err != nil {
		t.Error(err)
	}
}

// What parts of a value take is estimated while they come and go, and counted before anything is refused. Then there is
// room to the byte.
func TestRoomThatPartsHaveMadeIsCounted(t *testing.T) {
	twin, err := clone(&emptied(t).doc) // which finds out what only seems to be there
	must(t, err)
	size := twin.State.Size()
	for over, refused := range []bool{false, true} {
		l := emptied(t)
		if size > 600 || l.doc.State.Above() == nil {
			t.Fatalf("with %d bytes of 1000: Above = %v, want it not to be counted yet", size, l.doc.State.Above())
		}
		more := 1000 - size - len(`k""`) + over
		if err := l.set("k", strings.Repeat("x", more)); refused != (err != nil || l.doc.State.Above() != nil) {
			t.Errorf("%d bytes too many: %v, Above = %v", over, err, l.doc.State.Above())
		}
		if _, err := l.doc.State.Finish(l.rules); err != nil && !refused {
			t.Error(err)
		}
	}
}

// emptied was too large, and has lost half of that in parts.
func emptied(t *testing.T) *limited {
	l := within(t, 1000)
	name := func(i int) string { return fmt.Sprint("map.", strings.Repeat("n", 60), i) }
	for i := range 8 {
		must(t, l.set(name(i), "x"))
	}
	must(t, l.set("above", strings.Repeat("x", 500)))
	for i := range 8 {
		must(t, l.do(data.OpRemove, name(i), ""))
	}
	return l
}
