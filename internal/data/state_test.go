package data_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

var roomy = data.Rules{Codec: data.JSON{}, MaxBytes: 1 << 20}

// What a save leaves of the entries before is copied in stretches, however many keys were changed in whatever order,
// and however far behind they stand.
func TestASaveKeepsWhatWasNotChanged(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		wide := []int{1, 100, 5000}[seed%3] // the last have more entries than 64 KiB
		var r record
		want := map[string]string{}
		for range 4 {
			d := r.load(t)
			for range rnd.IntN(30) {
				change(t, d, rnd, wide, want)
			}
			_, err := d.State.Finish(roomy)
			must(t, err)
			room := d.State.Room()
			if r = d.State.Append(nil); len(r) != room {
				t.Errorf("Room = %d, and %d bytes were appended", room, len(r))
			}
			if got := contents(t, r); !maps.Equal(got, want) {
				t.Fatalf("seed %d: %d keys are stored, want %d", seed, len(got), len(want))
			}
		}
	}
}

// change sets, removes or clears what chance chooses, and writes down what is to be there then.
func change(t *testing.T, d *data.Doc, rnd *rand.Rand, wide int, want map[string]string) {
	t.Helper()
	key := fmt.Sprint("key", rnd.IntN(40))
	p, err := data.ParsePath(key)
	must(t, err)
	switch n := rnd.IntN(40); {
	case n == 0:
		clear(want)
		must(t, d.Do(roomy, data.Op{Kind: data.OpClear}, true))
	case n < 10:
		delete(want, key)
		must(t, d.Do(roomy, data.Op{Kind: data.OpRemove, Path: p}, true))
	default:
		want[key] = `"` + strings.Repeat("x", rnd.IntN(wide)) + `"`
		must(t, d.Do(roomy, data.Op{Kind: data.OpSet, Path: p, Raw: []byte(want[key])}, true))
	}
	if raw, ok, err := d.Look(roomy.Codec, p); err != nil || string(raw) != want[key] || ok != (want[key] != "") {
		t.Errorf("%s is %d bytes, %v, %v; want %d", key, len(raw), ok, err, len(want[key]))
	}
}

// contents are the values of an envelope by key, of which none is there twice.
func contents(t *testing.T, r record) map[string]string {
	t.Helper()
	_, entries, err := envelope.Parse(r)
	must(t, err)
	all := map[string]string{}
	for k, v := range entries.All() {
		if _, twice := all[string(k)]; twice {
			t.Errorf("%s is there twice", k)
		}
		all[string(k)] = string(v)
	}
	return all
}
