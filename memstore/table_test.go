package memstore

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The hashes are few and lie where tables go wrong: many entries have one home, and more come after the last home than
// there are slots for.
func TestATableFindsAndWalksWhatIsInIt(t *testing.T) {
	const last = math.MaxUint64 >> shardBits // the entries of a table have the upper bits in common
	hashes := []uint64{0, 1, last/2 + 1, last - 2, last - 1, last}
	rnd := rand.New(rand.NewPCG(1, 2))
	var tab table
	tab.init()
	var model []*entry
	for step := range 20_000 {
		hash, id := hashes[rnd.IntN(len(hashes))], fmt.Sprint(rnd.IntN(60))
		i, there := slices.BinarySearchFunc(model, &entry{hash: hash, id: id}, inOrder)
		grow := step/2500%2 == 0
		switch {
		case !there && grow:
			e := &entry{hash: hash, id: id}
			tab.insert(e)
			model = slices.Insert(model, i, e)
		case there && (!grow || rnd.IntN(4) == 0):
			tab.remove(model[i])
			model = slices.Delete(model, i, i+1)
		}
		wantTable(t, &tab, model, hash, id)
	}
	if tab.len != len(model) {
		t.Errorf("the table counts %d entries, want %d", tab.len, len(model))
	}
}

// wantTable wants that the table finds what the model has at a place, and walks what comes after it.
func wantTable(t *testing.T, tab *table, model []*entry, hash uint64, id string) {
	t.Helper()
	i, there := slices.BinarySearchFunc(model, &entry{hash: hash, id: id}, inOrder)
	var want *entry
	if there {
		want = model[i]
		i++
	}
	if got := tab.find(hash, id); got != want {
		t.Fatalf("find(%x, %q) = %v, want %v", hash, id, got, want)
	}
	var walked []*entry
	tab.after(hash, id, func(e *entry) bool {
		walked = append(walked, e)
		return true
	})
	if !slices.Equal(walked, model[i:]) {
		t.Fatalf("after(%x, %q) walks %d entries, want %d", hash, id, len(walked), len(model[i:]))
	}
}

func inOrder(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.id, b.id))
}

func TestATableShrinksWithItsEntries(t *testing.T) {
	var tab table
	tab.init()
	empty := len(tab.slots)
	var es []*entry
	for i := range 1000 {
		id := fmt.Sprint(i)
		es = append(es, &entry{hash: rand.Uint64() >> shardBits, id: id})
		tab.insert(es[i])
	}
	for _, e := range es {
		tab.remove(e)
	}
	if len(tab.slots) > empty {
		t.Errorf("an empty table has %d slots, want %d", len(tab.slots), empty)
	}
}
