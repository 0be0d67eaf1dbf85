package data_test

import (
	"testing"

	"github.com/coatcheck/session/internal/data"
)

// A swap is done when nobody has changed what was seen, and never when somebody has.
func TestASwapNeedsTheValueThatWasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		path      string
		meanwhile func(d *data.Doc) error
		want      bool
	}{
		"nothing":      {"box.stock", func(*data.Doc) error { return nil }, true},
		"the part":     {"box.stock", func(d *data.Doc) error { return do(d, data.OpSet, "box.stock", 7) }, false},
		"the whole":    {"box.stock", func(d *data.Doc) error { return do(d, data.OpSet, "box", 7) }, false},
		"no whole":     {"box.stock", func(d *data.Doc) error { return do(d, data.OpRemove, "box", nil) }, false},
		"no part":      {"box.stock", func(d *data.Doc) error { return do(d, data.OpRemove, "box.stock", nil) }, false},
		"nothing left": {"box.stock", func(d *data.Doc) error { return do(d, data.OpClear, "x", nil) }, false},
		"another key":  {"box.stock", func(d *data.Doc) error { return do(d, data.OpSet, "bag", 7) }, true},
		"a copy":       {"box.stock", func(d *data.Doc) error { return d.Share(rules.Codec) }, true},
		"a new part":   {"box.new", func(d *data.Doc) error { return do(d, data.OpSet, "box.new", 7) }, false},
		"another part": {"box.stock", func(d *data.Doc) error { return do(d, data.OpSet, "box.lid", 7) }, true},
		"not there":    {"new.part", func(*data.Doc) error { return nil }, true},
		"a key":        {"box", func(d *data.Doc) error { return do(d, data.OpSet, "box.stock", 7) }, false},
		"a key alone":  {"box", func(d *data.Doc) error { return do(d, data.OpSet, "bag", 7) }, true},
		"a key again":  {"new", func(d *data.Doc) error { return do(d, data.OpSet, "new.part", 7) }, false},
	} {
		d := new(data.Doc)
		must(t, do(d, data.OpSet, "box.stock", 1))
		p, err := data.ParsePath(c.path)
		must(t, err)
		seen, err := d.State.See(rules.Codec, p)
		must(t, err)
		must(t, c.meanwhile(d))
		done, err := d.Swap(rules, data.Op{Kind: data.OpUpdate, Path: p}, seen, []byte("2"))
		if raw, _, _ := d.State.At(rules.Codec, p); done != c.want || err != nil || done != (string(raw) == "2") {
			t.Errorf("%s: done %v, want %v; %s, %v", name, done, c.want, raw, err)
		}
	}
}
