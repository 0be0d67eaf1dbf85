package session_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/coatcheck/session"
)

// FuzzASessionIsATreeOfMaps: whatever is set, removed, taken and cleared in whatever order, in one request or several,
// a session holds what maps of maps hold. Nothing that was given or returned is shared with it.
func FuzzASessionIsATreeOfMaps(f *testing.F) {
	for seed := range uint64(20) {
		steps := make([]byte, 200)
		rnd := rand.New(rand.NewPCG(seed, 1))
		for i := range steps {
			steps[i] = byte(rnd.Uint32())
		}
		f.Add(steps)
	}
	m, _ := fuzzStore(f, testSecret)
	f.Fuzz(func(t *testing.T, steps []byte) {
		w := walk{t: t, m: m, s: opened(t, m, ""), now: map[string]any{}}
		w.save()
		for ; len(steps) >= 3; steps = steps[3:] {
			w.step(steps[0], pathOf(steps[1]), valueOf(steps[2]))
		}
	})
}

// walk is a session beside the tree that it should hold, and what was saved of that.
type walk struct {
	t          *testing.T
	m          *session.Manager
	s          *session.Session
	now, saved map[string]any
}

func pathOf(b byte) []string {
	names := []string{"a", "b", "c.d", ""}[b&3 : b&3+1]
	for ; b >= 4 && len(names) < 3; b >>= 2 {
		names = append(names, []string{"a", "b", "c.d", "e"}[b>>2&3])
	}
	if names[0] == "" {
		names[0] = "z"
	}
	return names
}

func valueOf(b byte) any {
	switch b % 6 {
	case 0:
		return map[string]any{"a": int64(b), "b": map[string]any{}}
	case 1:
		return []any{int64(b), "x"}
	case 2:
		return nil
	case 3:
		return fmt.Sprint(b)
	}
	return int64(b)
}

func (w *walk) step(what byte, names []string, value any) {
	path := session.Path(names...)
	parent, last := w.parent(names, what%8 < 3), names[len(names)-1]
	switch what % 8 {
	case 0, 1, 2:
		given := deepCopy(value)
		w.s.Set(path, given)
		spoil(given)
		if refused := parent == nil; refused != (w.s.Err() != nil) {
			w.t.Fatalf("Set(%q) in %v: Err = %v", path, w.now, w.s.Err())
		}
		if w.s.Err() != nil {
			w.reload()
			return
		}
		parent[last] = deepCopy(value)
	case 3:
		w.s.Remove(path)
		delete(parent, last)
	case 4:
		if got := w.s.Pop(path); !reflect.DeepEqual(got, parent[last]) {
			w.t.Fatalf("Pop(%q) = %v, want %v", path, got, parent[last])
		}
		delete(parent, last)
	case 5:
		w.save()
	case 6:
		w.reload()
	default:
		w.s.Clear()
		clear(w.now)
	}
	w.compare(path, w.parent(names, false)[last])
}

// parent is the map that a path leads to, nil when there is none and none can be.
func (w *walk) parent(names []string, make bool) map[string]any {
	at := w.now
	for _, name := range names[:len(names)-1] {
		next, there := at[name]
		if !there && make {
			next = map[string]any{}
			at[name] = next
		}
		var ok bool
		if at, ok = next.(map[string]any); !ok {
			return nil
		}
	}
	return at
}

func (w *walk) compare(path string, want any) {
	w.t.Helper()
	if got := w.s.Get(path); !reflect.DeepEqual(got, want) {
		w.t.Fatalf("Get(%q) = %v, want %v in %v", path, got, want, w.now)
	}
	all := w.s.All()
	if !reflect.DeepEqual(all, w.now) {
		w.t.Fatalf("All = %v, want %v", all, w.now)
	}
	spoil(all)
	spoil(w.s.Get(path))
}

func (w *walk) save() {
	w.t.Helper()
	w.s = stored(w.t, w.m, w.s)
	w.saved = deepCopy(w.now).(map[string]any)
}

func (w *walk) reload() {
	w.t.Helper()
	if err := w.s.Reload(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.now = deepCopy(w.saved).(map[string]any)
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := maps.Clone(v)
		for key := range c {
			c[key] = deepCopy(c[key])
		}
		return c
	case []any:
		return slices.Clone(v)
	}
	return v
}

// spoil changes what was given or returned.
func spoil(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			spoil(inner)
		}
		v["spoilt"] = true
	case []any:
		v[0] = "spoilt"
	}
}
