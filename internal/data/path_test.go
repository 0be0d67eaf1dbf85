package data_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// FuzzPath: what an operation accepts is found in this request and in the next, what it refuses changes nothing, and
// Join makes of any two parts a path to exactly one place.
func FuzzPath(f *testing.F) {
	for _, p := range []string{
		"a", "a.b", `a\.b`, `a\\.b`, "", ".", "a..b", "list.0", "list.9", "text.x", "\xff",
		"a.\xff", `\`, "ü.\u2028", "n\x00.x",
		"coatcheck:roles", `\coatcheck:x.y`,
	} {
		f.Add(p, "part", `pa.r\t`)
	}
	f.Add("a", "coatcheck:roles", "0")
	f.Fuzz(func(t *testing.T, path, one, two string) {
		settable(t, path)
		joined(t, one, two)
	})
}

// settable sets a value at a path.
func settable(t *testing.T, path string) {
	t.Helper()
	d := new(data.Doc)
	must(t, do(d, data.OpSet, "list", []int{1}))
	must(t, do(d, data.OpSet, "text", "x"))
	before := all(t, d)
	for _, absent := range []string{"absent." + path, path + ".absent"} {
		if p, err := data.ParsePath(absent); err == nil {
			must(t, d.Do(rules, data.Op{Kind: data.OpRemove, Path: p}, false))
		}
	}
	if err := do(d, data.OpSet, path, "value"); err != nil {
		if got := all(t, d); !reflect.DeepEqual(got, before) {
			t.Fatalf("set %q = %v, and changed %v", path, err, got)
		}
		return
	}
	for range 2 {
		if got := get(t, d, path); got != "value" {
			t.Fatalf("at %q is %v", path, got)
		}
		d = again(t, d)
	}
}

// joined sets a value at the path of two parts.
func joined(t *testing.T, one, two string) {
	t.Helper()
	d := new(data.Doc)
	err := do(d, data.OpSet, data.Join(one, two), 1)
	fine := one != "" && two != "" && utf8.ValidString(two) && !strings.HasPrefix(one, envelope.OwnPrefix)
	if fine != (err == nil) {
		t.Fatalf("set Join(%q, %q): %v", one, two, err)
	}
	if err != nil {
		return
	}
	want := map[string]any{one: map[string]any{two: int64(1)}}
	if got := all(t, again(t, d)); !reflect.DeepEqual(got, want) {
		t.Fatalf("Join(%q, %q) leads to %v", one, two, got)
	}
}

func TestOnlyAConstantLeadsToTheLibrarysOwnKeys(t *testing.T) {
	const own = envelope.OwnPrefix + "roles"
	if _, err := data.ParseConstant(own + ".0"); err != nil {
		t.Errorf("ParseConstant(%q) = %v", own+".0", err)
	}
	for what, parse := range map[string]func(string) (data.Path, error){
		"ParsePath": data.ParsePath, "ParseConstant of what Join made": func(s string) (data.Path, error) {
			return data.ParseConstant(data.Join(s, "0"))
		},
	} {
		if _, err := parse(own); !errors.Is(err, data.ErrOwn) {
			t.Errorf("%s(%q) = %v, want ErrOwn", what, own, err)
		}
	}
}

func TestAPathComesBackAsItsText(t *testing.T) {
	for _, parts := range [][]string{{"a"}, {"a.b", "c"}, {`a\`, `\.`, "0"}, {"ü", " "}, {`\\`, "..."}} {
		text := data.Join(parts...)
		p, err := data.ParsePath(text)
		if err != nil || p.String() != text {
			t.Errorf("ParsePath(%q) = %q, %v", text, p, err)
		}
	}
}
