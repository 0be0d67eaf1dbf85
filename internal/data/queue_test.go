package data_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/coatcheck/session/internal/data"
)

// element is one of a list: its value, and the last request that may see it.
type element struct {
	value int64
	until int
}

// Whatever is removed from a list, at its ends or within, flash data stay with their elements.
func TestFlashDataFollowTheElementsOfAList(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		kept, want, value := new(record), []element(nil), int64(0)
		for request := range 8 {
			d := kept.load(t)
			want = slices.DeleteFunc(want, func(e element) bool { return e.until < request })
			wantList(t, d, want, seed, request)
			for range rnd.IntN(40) {
				value++
				want = changeList(t, rnd, d, want, element{value, request + 1})
				if rnd.IntN(8) == 0 {
					c, err := clone(d)
					must(t, err)
					d = &c
				}
			}
			wantList(t, d, want, seed, request)
			kept.save(t, d)
		}
	}
}

// changeList appends, flashes or removes an element, the last two often at an end of the list.
func changeList(t *testing.T, rnd *rand.Rand, d *data.Doc, want []element, fresh element) []element {
	t.Helper()
	if len(want) == 0 || rnd.IntN(3) == 0 {
		must(t, do(d, data.OpAdd, "list", fresh.value))
		return append(want, element{fresh.value, forGood})
	}
	i := [...]int{0, len(want) - 1, rnd.IntN(len(want))}[rnd.IntN(3)]
	path := "list." + strconv.Itoa(i)
	if rnd.IntN(2) == 0 {
		must(t, do(d, data.OpFlash, path, fresh.value))
		want[i] = fresh
		return want
	}
	must(t, do(d, data.OpRemove, path, nil))
	return slices.Delete(want, i, i+1)
}

func wantList(t *testing.T, d *data.Doc, want []element, seed uint64, request int) {
	t.Helper()
	list, _ := get(t, d, "list").([]any)
	ok := len(list) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = list[i] == want[i].value
	}
	if !ok {
		t.Fatalf("seed %d, request %d: the list is %v, want %v", seed, request, list, want)
	}
}

// A list whose elements were flashed one by one is emptied from either end in steps that do not grow with it.
func TestAStepOfALongQueueIsAsCheapAsOfAShortOne(t *testing.T) {
	for name, last := range map[string]bool{"from the front": false, "from the back": true} {
		t.Run(name, func(t *testing.T) {
			short, long := bytesOfAPop(t, 200, last), bytesOfAPop(t, 3200, last)
			if long > 3*short {
				t.Errorf("a pop takes %d bytes of a list of 3200, and %d of one of 200", long, short)
			}
		})
	}
}

// bytesOfAPop is what is allocated for one of the first hundred pops from a list of n.
func bytesOfAPop(t *testing.T, n int, last bool) uint64 {
	t.Helper()
	d := new(data.Doc)
	for i := range n {
		must(t, do(d, data.OpAdd, "list", i))
		must(t, do(d, data.OpFlash, fmt.Sprint("list.", i), i))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range 100 {
		path := "list.0"
		if last {
			path = fmt.Sprint("list.", n-1-i)
		}
		must(t, do(d, data.OpRemove, path, nil))
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / 100
}
