package data_test

import (
	"reflect"
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

var rules = data.Rules{Codec: data.JSON{}, MaxBytes: 1 << 16}

// record keeps a session between requests, as a store does.
type record []byte

// load begins a request. All flash data in the record are of earlier ones.
func (r *record) load(t testing.TB) *data.Doc {
	t.Helper()
	if *r == nil {
		return new(data.Doc)
	}
	h, entries, err := envelope.Parse(*r)
	must(t, err)
	return &data.Doc{State: data.NewState(h, entries, h.FlashSeq)}
}

// save commits what a request did.
func (r *record) save(t testing.TB, d *data.Doc) {
	t.Helper()
	aged, err := d.State.Finish(rules)
	must(t, err)
	room := d.State.Room()
	if *r = d.State.Append(nil); len(*r) != room {
		t.Errorf("Room = %d, and %d bytes were appended", room, len(*r))
	}
	d.Stored(rules.Codec, aged)
}

// again saves what a request did, and begins the next one.
func again(t testing.TB, d *data.Doc) *data.Doc {
	t.Helper()
	var r record
	r.save(t, d)
	return r.load(t)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do does an operation with a value at a path.
func do(d *data.Doc, kind data.OpKind, text string, value any) error {
	p, err := data.ParsePath(text)
	if err != nil {
		return err
	}
	raw, err := data.Encode(rules.Codec, value)
	if err != nil {
		return err
	}
	o := data.Op{Kind: kind, Path: p, Raw: raw}
	if kind == data.OpAdd {
		o.More = &data.More{List: [][]byte{raw}}
	}
	return d.Do(rules, o, false)
}

// cast sets a value of this request only.
func cast(t testing.TB, d *data.Doc, text string, value any) {
	t.Helper()
	p, err := data.ParsePath(text)
	must(t, err)
	raw, err := data.Encode(rules.Codec, value)
	must(t, err)
	d.Cast(rules.Codec, data.Shadow{Path: p, Raw: raw})
}

// get is the value at a path as the request sees it, nil for none.
func get(t testing.TB, d *data.Doc, text string) any {
	t.Helper()
	p, err := data.ParsePath(text)
	must(t, err)
	raw, ok, err := d.Look(rules.Codec, p)
	must(t, err)
	if ok != d.Has(rules.Codec, p) {
		t.Fatalf("Look(%q) finds %v, Has %v", text, ok, !ok)
	}
	if !ok {
		return nil
	}
	v, err := data.Value(rules.Codec, raw)
	must(t, err)
	return v
}

// all is what the request sees.
func all(t testing.TB, d *data.Doc) map[string]any {
	t.Helper()
	values := map[string]any{}
	for key, raw := range d.Raws(rules.Codec) {
		v, err := data.Value(rules.Codec, raw)
		must(t, err)
		values[key] = v
	}
	return values
}

func wantAll(t testing.TB, d *data.Doc, want map[string]any) {
	t.Helper()
	if got := all(t, d); !reflect.DeepEqual(got, want) {
		t.Errorf("the request sees %v, want %v", got, want)
	}
}

// clone is a copy that can be changed while others read the original.
func clone(d *data.Doc) (data.Doc, error) {
	err := d.Share(rules.Codec)
	w := *d
	w.Part(rules.Codec)
	return w, err
}
