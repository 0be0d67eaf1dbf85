package data_test

import (
	"testing"

	"github.com/coatcheck/session/internal/data"
)

// A swap is done when nobody has changed what was seen, and never when somebody has.
func TestASwapNeedsTheValueThatWasSeen(t *testing.T) {
	doing := func(kind data.OpKind, path string) func(*data.Doc) error {
		return func(d *data.Doc) error { return do(d, kind, path, 7) }
	}
	for name, c := range map[string]struct {
		path      string
		meanwhile func(d *data.Doc) error
		want      bool
	}{
		"nothing":       {"box.stock", func(*data.Doc) error { return nil }, true},
		"the part":      {"box.stock", doing(data.OpSet, "box.stock"), false},
		"the whole":     {"box.stock", doing(data.OpSet, "box"), false},
		"no whole":      {"box.stock", doing(data.OpRemove, "box"), false},
		"no part":       {"box.stock", doing(data.OpRemove, "box.stock"), false},
		"nothing left":  {"box.stock", doing(data.OpClear, "x"), false},
		"another key":   {"box.stock", doing(data.OpSet, "bag"), true},
		"a copy":        {"box.stock", func(d *data.Doc) error { return d.Share(rules.Codec) }, true},
		"a new part":    {"box.new", doing(data.OpSet, "box.new"), false},
		"another part":  {"box.stock", doing(data.OpSet, "box.lid"), true},
		"nothing there": {"new.part", func(*data.Doc) error { return nil }, true},
		"a key":         {"box", doing(data.OpSet, "box.stock"), false},
		"a key alone":   {"box", doing(data.OpSet, "bag"), true},
		"a key again":   {"new", doing(data.OpSet, "new.part"), false},
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
