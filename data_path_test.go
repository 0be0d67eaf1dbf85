package session_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// both runs a check in the request that did something, and again in the next one.
func both(t *testing.T, do, check func(*session.Session)) {
	t.Helper()
	v := newRig(t).visitor()
	resp := v.with(func(s *session.Session) {
		do(s)
		if err := s.Err(); err != nil {
			t.Errorf("Err = %v", err)
		}
		check(s)
	})
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	v.with(check)
}

// refuses checks that an operation sets Err, that the request fails, and that nothing of it is stored.
func refuses(t *testing.T, before, do func(*session.Session)) error {
	t.Helper()
	v := newRig(t).visitor()
	var was map[string]any
	v.with(func(s *session.Session) { s.Set("keep", 1); before(s); was = s.All() })
	var refused error
	resp := v.with(func(s *session.Session) {
		s.Set("too", "late")
		do(s)
		refused = s.Err()
	})
	if refused == nil || resp.StatusCode != 500 {
		t.Errorf("Err = %v, status %d, want an error and 500", refused, resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if got := s.All(); !reflect.DeepEqual(got, was) {
			t.Errorf("stored: %.200v, want %.200v", fmt.Sprint(got), fmt.Sprint(was))
		}
	})
	return refused
}

func wantGet(t *testing.T, s *session.Session, path string, want any) {
	t.Helper()
	if got := s.Get(path); !reflect.DeepEqual(got, want) {
		t.Errorf("Get(%q) = %#v, want %#v", path, got, want)
	}
	if got := s.Has(path); got != (want != nil) {
		t.Errorf("Has(%q) = %v, want %v", path, got, want != nil)
	}
}

// Dotted paths read nested data, and make the parents that are missing.
func TestADottedPathReadsAndMakesNestedMaps(t *testing.T) {
	both(t, func(s *session.Session) {
		s.Set("foo", map[string]any{"bar": "baz"})
		s.Set("a.b.c", 1)
		s.Set("a.b.d", true)
		s.Set("foo.deep.er", "x")
	}, func(s *session.Session) {
		wantGet(t, s, "foo.bar", "baz")
		wantGet(t, s, "foo.deep.er", "x")
		wantGet(t, s, "a", map[string]any{"b": map[string]any{"c": int64(1), "d": true}})
		wantGet(t, s, "a.b.c", int64(1))
		wantGet(t, s, "a.b.absent", nil)
		wantGet(t, s, "absent.b.c", nil)
		if got := s.GetOr("a.b.absent", "fallback"); got != "fallback" {
			t.Errorf("GetOr = %v", got)
		}
	})
}

// Keys with dots, backslashes and anything else are reached by escapes and by Path.
func TestPathEscapesWhatIsNoSeparator(t *testing.T) {
	for _, key := range []string{
		"a.b", `a\b`, `a\.b`, `\`, `.`, `..`, `\\`, `a\`, "a b", "ü.ö", "0", "-1", "__proto__", "items.0", "$", `"`,
		"<script>", "a\nb", "a\x00b",
		strings.Repeat("long.", 50),
	} {
		t.Run(key, func(t *testing.T) {
			both(t, func(s *session.Session) {
				s.Set(session.Path(key), 1)
				s.Set(session.Path("map", key, "x"), 2)
			}, func(s *session.Session) {
				wantGet(t, s, session.Path(key), int64(1))
				want := map[string]any{key: int64(1), "map": map[string]any{key: map[string]any{"x": int64(2)}}}
				if got := s.All(); !reflect.DeepEqual(got, want) {
					t.Errorf("All = %#v, want %#v", got, want)
				}
			})
		})
	}
	for path, want := range map[string]string{
		session.Path("a", "b"):       "a.b",
		session.Path("a.b", "c"):     `a\.b.c`,
		session.Path(`a\`, "b"):      `a\\.b`,
		session.Path("plain"):        "plain",
		session.Path("me@x.org"):     `me@x\.org`,
		session.Path("a", "", "b"):   "a..b", // and is refused
		session.Path():               "",
		session.Path("items", "0"):   "items.0",
		session.Path("items.0", "n"): `items\.0.n`,
	} {
		if path != want {
			t.Errorf("Path = %q, want %q", path, want)
		}
	}
}

// A backslash that escapes nothing is an ordinary character.
func TestABackslashBeforeAnOrdinaryCharacterIsItself(t *testing.T) {
	both(t, func(s *session.Session) { s.Set(`dir\name`, 1); s.Set(`end\`, 2) }, func(s *session.Session) {
		wantGet(t, s, `dir\name`, int64(1))
		wantGet(t, s, `dir\\name`, int64(1))
		wantGet(t, s, `end\`, int64(2))
	})
}

// An index reads, sets and removes an element that is there.
func TestAnIndexReachesAnElementThatIsThere(t *testing.T) {
	both(t, func(s *session.Session) {
		s.Set("items", []any{"a", "b", map[string]any{"n": 1}, "d"})
		s.Set("items.1", "B")
		s.Set("items.2.m", 2)
		s.Remove("items.0")
	}, func(s *session.Session) {
		wantGet(t, s, "items", []any{"B", map[string]any{"n": int64(1), "m": int64(2)}, "d"})
		wantGet(t, s, "items.0", "B")
		wantGet(t, s, "items.1.n", int64(1))
		for _, path := range []string{"items.3", "items.-1", "items.00", "items.+1", "items. 1", "items.x", "items.1e0",
			"items.99999999999999999999"} {
			wantGet(t, s, path, nil)
		}
	})
}

// A list under a list element can be reached too.
func TestListsOfListsAreReachedByIndexes(t *testing.T) {
	both(t, func(s *session.Session) {
		s.Set("grid", [][]int{{1, 2}, {3}})
		s.Set("grid.0.1", 20)
		s.Append("grid.1", 4)
		s.Append("grid", []int{5})
	}, func(s *session.Session) {
		wantGet(t, s, "grid", []any{[]any{int64(1), int64(20)}, []any{int64(3), int64(4)}, []any{int64(5)}})
	})
}

// What cannot be done is refused, the whole request with it, and what is stored stays as it is.
func TestAPathThatLeadsNowhereIsRefusedOnWriting(t *testing.T) {
	values := map[string]any{"text": "x", "number": 1, "flag": true, "null": nil, "list": []int{1, 2},
		"map": map[string]any{"n": 1}}
	before := func(s *session.Session) {
		for k, v := range values {
			s.Set(k, v)
		}
	}
	for _, path := range []string{
		"", ".", "..", "a..b", ".a", "a.", "text.x", "number.x", "flag.x.y", "null.x", "map.n.x",
		"list.2", "list.-1", "list.01", "list.x", "list.2.x", "list.0.x", "a.\xff", strings.Repeat("deep.", 2000) + "x",
	} {
		for what, do := range map[string]func(*session.Session){
			"Set":    func(s *session.Session) { s.Set(path, 1) },
			"Flash":  func(s *session.Session) { s.Flash(path, 1) },
			"Append": func(s *session.Session) { s.Append(path, 1) },
			"Update": func(s *session.Session) { session.Key[int](path).Update(s, func(n int) int { return n + 1 }) },
		} {
			t.Run(what+"/"+path[:min(len(path), 20)], func(t *testing.T) { refuses(t, before, do) })
		}
	}
}

// Reading, removing and popping through what is not there is no error and no change.
func TestAPathThatLeadsNowhereIsAbsentOnReading(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("text", "x"); s.Set("list", []int{1}) })
	r.store.reset()
	v.with(func(s *session.Session) {
		for _, path := range []string{"", ".", "a..b", "absent", "text.x", "text.x.y", "list.1", "list.x", "list.0.x",
			"a.\xff"} {
			wantGet(t, s, path, nil)
			if got := s.GetOr(path, 7); got != 7 {
				t.Errorf("GetOr(%q) = %v", path, got)
			}
			if _, err := session.Key[string](path).Lookup(s); err != session.ErrNoValue {
				t.Errorf("Lookup(%q) = %v, want ErrNoValue", path, err)
			}
			s.Remove(path)
			if got := s.Pop(path); got != nil {
				t.Errorf("Pop(%q) = %v", path, got)
			}
		}
		if s.Err() != nil {
			t.Errorf("Err = %v", s.Err())
		}
	})
	if n := r.store.count("save"); n != 0 {
		t.Errorf("%d saves for changes that are none", n)
	}
}

func TestErrIsTheFirstRefusal(t *testing.T) {
	err := refuses(t, func(s *session.Session) { s.Set("x", 1) }, func(s *session.Session) {
		s.Set("x.y", 1)
		s.Set("", 1)
		s.Set("fine", func() {})
	})
	if err == nil || !strings.Contains(err.Error(), "no parts") {
		t.Errorf("Err = %v, want the first one", err)
	}
}
