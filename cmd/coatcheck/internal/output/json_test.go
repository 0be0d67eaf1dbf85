package output_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// A visitor's value may hold what a terminal takes for an order. A program reads it as it was.
func TestJSONSteersNoTerminal(t *testing.T) {
	const hostile = "\u009b2J\u202eада 😀\U000e0041\x7f"
	var b strings.Builder
	p := &output.Printer{Out: &b, JSON: true}
	list := output.NewList(p, nil)
	for _, err := range []error{p.Value(hostile, nil), p.Line(hostile, nil), list.Add(hostile), list.End(nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.ContainsAny(b.String(), "\u009b\u202e\U000e0041\x7f") || strings.Count(b.String(), "ада 😀") != 3 {
		t.Errorf("the terminal gets %q", b.String())
	}
	d := json.NewDecoder(strings.NewReader(b.String()))
	var value, line string
	var elements []string
	for _, to := range []any{&value, &line, &elements} {
		if err := d.Decode(to); err != nil {
			t.Fatal(err)
		}
	}
	if value != hostile || line != hostile || len(elements) != 1 || elements[0] != hostile {
		t.Errorf("a program reads %q, %q and %q, want %q", value, line, elements, hostile)
	}
}

// A list that ends with an error is one value as far as it came, and none if nothing came: the error takes its place.
func TestAListThatEndsEarlyIsWholeJSON(t *testing.T) {
	for n, want := range []string{"", "[\n  1\n]\n", "[\n  1,\n  2\n]\n"} {
		var b strings.Builder
		list := output.NewList(&output.Printer{Out: &b, JSON: true}, nil)
		for i := range n {
			if err := list.Add(i + 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := list.Flush(); err != nil || b.String() != want {
			t.Errorf("after %d elements there is %q, %v, want %q", n, &b, err, want)
		}
	}
}
