package data_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/data"
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
