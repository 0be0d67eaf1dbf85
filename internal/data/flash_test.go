package data_test

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/data"
)

// leaves is what a session should hold: the scalars by path, and the last request that may see each.
type leaves map[string]leaf

type leaf struct {
	value int64
	until int
}

const forGood = 1 << 30

// clear removes what is at and below the path.
func (l leaves) clear(path string) {
	maps.DeleteFunc(l, func(p string, _ leaf) bool { return p == path || strings.HasPrefix(p, path+".") })
}

// through reports whether a scalar lies above the path.
func (l leaves) through(path string) bool {
	for p := range l {
		if strings.HasPrefix(path, p+".") {
			return true
		}
	}
	return false
}

func flatten(prefix string, v any, into map[string]int64) {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			flatten(strings.TrimPrefix(prefix+"."+k, "."), child, into)
		}
	case int64:
		into[prefix] = v
	}
}

// Whatever is set, flashed and removed within each other over many requests, each value lives as long as it was given.
func TestEveryValueLivesAsLongAsItWasGiven(t *testing.T) {
	paths := []string{"a", "b", "a.x", "a.y", "a.x.1", "a.x.2", "a.y.1", "b.x", "b.x.1", "b.x.2"}
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		kept, want := new(record), leaves{}
		var trail []string
		for request := range 12 {
			d := kept.load(t)
			got, expected := map[string]int64{}, map[string]int64{}
			flatten("", all(t, d), got)
			for p, l := range want {
				expected[p] = l.value
			}
			if !maps.Equal(got, expected) {
				t.Fatalf("seed %d, request %d sees %v, want %v, after %v", seed, request, got, expected, trail)
			}
			for range rnd.IntN(4) {
				trail = append(trail, changeBoth(t, rnd, kept, d, want, request, paths[rnd.IntN(len(paths))]))
			}
			kept.save(t, d)
			trail = append(trail, "|")
			maps.DeleteFunc(want, func(_ string, l leaf) bool { return l.until <= request })
		}
	}
}

// changeBoth does one thing to the data and to the model, and says what.
func changeBoth(t *testing.T, rnd *rand.Rand, kept *record, d *data.Doc, want leaves, request int, path string) string {
	whats := []string{"set", "flash", "remove", "set map", "flash map", "save", "update"}
	what, until := whats[rnd.IntN(len(whats))], forGood
	value := rnd.Int64N(1000)
	switch {
	case what == "save":
		kept.save(t, d)
		return what
	case what == "remove":
		must(t, do(d, data.OpRemove, path, nil))
		want.clear(path)
		return what + " " + path
	case what == "update":
		return updateBoth(t, d, want, request, path, value)
	case want.through(path):
		return "-"
	case strings.HasPrefix(what, "flash"):
		until = request + 1
	}
	var v any = value
	want.clear(path)
	if strings.HasSuffix(what, "map") {
		v = map[string]any{"1": value, "2": map[string]any{"3": value}}
		want[path+".1"], want[path+".2.3"] = leaf{value, until}, leaf{value, until}
	} else {
		want[path] = leaf{value, until}
	}
	kind := data.OpSet
	if until != forGood {
		kind = data.OpFlash
	}
	must(t, do(d, kind, path, v))
	return what + " " + path
}

// updateBoth changes a value that is there. It is flash data afterwards if it was before, for one more request.
func updateBoth(t *testing.T, d *data.Doc, want leaves, request int, path string, value int64) string {
	was, ok := want[path]
	if !ok {
		return "-"
	}
	if was.until != forGood {
		was.until = request + 1
	}
	want[path] = leaf{value, was.until}
	p, err := data.ParsePath(path)
	must(t, err)
	fn := func([]byte, bool) ([]byte, error) { return data.Encode(rules.Codec, value) }
	must(t, d.Do(rules, data.Op{Kind: data.OpUpdate, Path: p, Fn: fn}, false))
	return "update " + path
}
