package data_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coatcheck/session/internal/data"
)

// signedIn is a session whose user has just signed in by these factors.
func signedIn(t *testing.T, names ...string) (*data.Doc, error) {
	t.Helper()
	more := new(data.More)
	for _, name := range names {
		more.List = append(more.List, []byte(name))
	}
	d := new(data.Doc)
	return d, d.Do(rules, data.Op{Kind: data.OpLogin, At: 1, More: more}, false)
}

func confirm(d *data.Doc, name string, at int64) error {
	return d.Do(rules, data.Op{Kind: data.OpFactor, Raw: []byte(name), At: at}, false)
}

func names(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint("f", i))
	}
	return list
}

// A sign-in of which nobody said how it was done is not one of the sixteen.
func TestASessionHasSixteenFactorsAtMost(t *testing.T) {
	if d, err := signedIn(t, append(names(16), names(16)...)...); err != nil || len(d.State.Factors()) != 16 {
		t.Errorf("a Login by sixteen, named twice = %v, with %d", err, len(d.State.Factors()))
	}
	if _, err := signedIn(t, names(17)...); err == nil {
		t.Error("a Login by seventeen: no error")
	}
	for first, most := range map[string]int{"": 17, "pwd": 16} {
		d, err := signedIn(t)
		if first != "" {
			d, err = signedIn(t, first)
		}
		must(t, err)
		for i, name := range names(17) {
			if err := confirm(d, name, 2); (err != nil) != (i+1 >= most) {
				t.Errorf("after a Login by %q, number %d more = %v", first, i+1, err)
			}
		}
		done := len(d.Ops)
		must(t, confirm(d, "f0", 3)) // which is there already, and is done again on a newer state
		if len(d.Ops) != done+1 {
			t.Errorf("after a Login by %q a factor that is shown again is no change", first)
		}
		if list := d.State.Factors(); len(list) != most || list[1].At != 3 {
			t.Errorf("after a Login by %q: %v, want %d, and f0 of 3", first, list, most)
		}
	}
}

// It was shown for a session that is gone.
func TestNobodyHasFactors(t *testing.T) {
	d := new(data.Doc)
	must(t, confirm(d, "otp", 2))
	if len(d.State.Factors()) != 0 || len(d.Ops) != 0 || !d.State.Empty() {
		t.Errorf("a session of nobody has the factors %v", d.State.Factors())
	}
}

// The function of an update may fail, wherever the value is. It is told whether there is one.
func TestAnUpdateThatFailsChangesNothing(t *testing.T) {
	value := map[string]any{"m": map[string]int{"x": 1}, "l": []any{1, map[string]int{"y": 2}}}
	for path, there := range map[string]bool{
		"v": true, "v.m": true, "v.m.x": true, "v.m.z": false, "v.l.0": true, "v.l.1.y": true, "w": false, "w.x": false,
	} {
		d := new(data.Doc)
		must(t, do(d, data.OpSet, "v", value))
		before := all(t, d)
		p, err := data.ParsePath(path)
		must(t, err)
		failed := errors.New("failed")
		err = d.Do(rules, data.Op{Kind: data.OpUpdate, Path: p, Fn: func(old []byte, ok bool) ([]byte, error) {
			if ok != there || ok != (len(old) > 0) {
				t.Errorf("%s: the function is told %q, %v", path, old, ok)
			}
			return []byte("7"), failed
		}}, true)
		if !errors.Is(err, failed) || len(d.Ops) != 1 {
			t.Errorf("%s: Do = %v after %d operations", path, err, len(d.Ops))
		}
		wantAll(t, d, before)
	}
}
