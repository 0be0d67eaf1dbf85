package session_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// What is set is read back, with the same dynamic type in this request as in the next.
func TestGetGivesTheSameTypesInThisRequestAndTheNext(t *testing.T) {
	type point struct {
		X int `json:"x"`
		Y any
	}
	for name, c := range map[string]struct{ set, want any }{
		"nil":            {nil, nil},
		"nil slice":      {[]string(nil), nil},
		"nil map":        {map[string]int(nil), nil},
		"nil pointer":    {(*point)(nil), nil},
		"bool":           {true, true},
		"false":          {false, false},
		"string":         {"Dunamis", "Dunamis"},
		"empty string":   {"", ""},
		"hostile string": {"<b>&\"\\\u2028\x00'</b>ü", "<b>&\"\\\u2028\x00'</b>ü"},
		"int":            {42, int64(42)},
		"zero":           {0, int64(0)},
		"negative":       {-7, int64(-7)},
		"int8":           {int8(-128), int64(-128)},
		"uint16":         {uint16(65535), int64(65535)},
		"int64 max":      {int64(math.MaxInt64), int64(math.MaxInt64)},
		"int64 min":      {int64(math.MinInt64), int64(math.MinInt64)},
		"uint64 max":     {uint64(math.MaxUint64), float64(math.MaxUint64)},
		"float":          {1.5, 1.5},
		"whole float":    {3.0, int64(3)},
		"float32":        {float32(0.25), 0.25},
		"large float":    {1e300, 1e300},
		"small float":    {5e-324, 5e-324},
		"written 1e3":    {json.RawMessage("1e3"), int64(1000)},
		"written 2.0":    {json.RawMessage("2.0"), int64(2)},
		"not int64":      {json.RawMessage("9223372036854775808"), float64(1 << 63)},
		"list":           {[]int{1, 2}, []any{int64(1), int64(2)}},
		"empty list":     {[]string{}, []any{}},
		"map":            {map[string]float64{"a": 1, "b": 1.5}, map[string]any{"a": int64(1), "b": 1.5}},
		"empty map":      {map[string]any{}, map[string]any{}},
		"map of ints":    {map[int]bool{3: true}, map[string]any{"3": true}},
		"nested": {map[string]any{"l": []any{nil, 1, map[string]any{"x": 0.5}}},
			map[string]any{"l": []any{nil, int64(1), map[string]any{"x": 0.5}}}},
		"struct":   {point{1, 2.5}, map[string]any{"x": int64(1), "Y": 2.5}},
		"pointer":  {&point{X: 1}, map[string]any{"x": int64(1), "Y": nil}},
		"bytes":    {[]byte("hi"), "aGk="},
		"time":     {time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), "2026-01-02T03:04:05.000000006Z"},
		"duration": {time.Second, int64(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(s *session.Session) {
				s.Set("v", c.set)
				s.Set("in.side", c.set)
				s.Append("list", c.set)
			}, func(s *session.Session) {
				want := map[string]any{"v": c.want, "in": map[string]any{"side": c.want}, "list": []any{c.want}}
				for path, want := range map[string]any{"v": c.want, "in.side": c.want, "list.0": c.want,
					"in": want["in"]} {
					if got := s.Get(path); !reflect.DeepEqual(got, want) {
						t.Errorf("Get(%q) = %T %[2]v, want %T %[3]v", path, got, want)
					}
					if !s.Has(path) {
						t.Errorf("Has(%q) = false", path)
					}
				}
				if got := s.All(); !reflect.DeepEqual(got, want) {
					t.Errorf("All = %v, want %v", got, want)
				}
			})
		})
	}
}

// Large values come back whole.
func TestLargeValuesComeBackWhole(t *testing.T) {
	text := strings.Repeat("0123456789", 1024)
	list := make([]int, 1000)
	for i := range list {
		list[i] = i * i
	}
	both(t, func(s *session.Session) { s.Set("text", text); s.Set("list", list) }, func(s *session.Session) {
		if s.Get("text") != text {
			t.Error("the text differs")
		}
		if got := session.Key[[]int]("list").Or(s, nil); !reflect.DeepEqual(got, list) {
			t.Error("the list differs")
		}
	})
}

// What a handler holds and what is stored never alias: neither what was set, nor what was read.
func TestValuesAreCopies(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		mine := map[string]any{"list": []any{"a"}, "n": 1}
		s.Set("m", mine)
		s.Append("l", mine)
		s.Flash("f", mine)
		s.Now("now", mine)
		mine["n"] = 2
		mine["list"].([]any)[0] = "changed"
		want := map[string]any{"list": []any{"a"}, "n": int64(1)}
		for _, path := range []string{"m", "l.0", "f", "now"} {
			wantGet(t, s, path, want)
			got := s.Get(path).(map[string]any)
			got["n"] = 3
			got["list"].([]any)[0] = "changed"
			delete(got, "list")
			wantGet(t, s, path, want)
		}
		all := s.All()
		delete(all, "l")
		all["m"].(map[string]any)["n"] = 4
		wantGet(t, s, "m", want)
	})
	v.with(func(s *session.Session) {
		got := s.Get("m").(map[string]any)
		got["n"] = 5
		if bytes, _ := session.Key[json.RawMessage]("m").Get(s); len(bytes) > 0 {
			bytes[0] = 'X'
		}
		wantGet(t, s, "m.n", int64(1))
		s.Set("other", 1)
	})
	v.with(func(s *session.Session) { wantGet(t, s, "m", map[string]any{"list": []any{"a"}, "n": int64(1)}) })
}

// The fallback is for what is absent, never for a stored 0, "", false or nil.
func TestGetOrKeepsStoredZeroValues(t *testing.T) {
	both(t, func(s *session.Session) {
		for k, v := range map[string]any{"zero": 0, "empty": "", "false": false, "nil": nil, "list": []any{}} {
			s.Set(k, v)
			s.Set("in."+k, v)
		}
	}, func(s *session.Session) {
		for _, in := range []string{"", "in."} {
			for k, want := range map[string]any{"zero": int64(0), "empty": "", "false": false, "nil": nil,
				"list": []any{}} {
				if got := s.GetOr(in+k, "Not logged in"); !reflect.DeepEqual(got, want) {
					t.Errorf("GetOr(%q) = %#v, want %#v", in+k, got, want)
				}
			}
			if got := s.GetOr(in+"user_id", "Not logged in"); got != "Not logged in" {
				t.Errorf("GetOr of an absent value = %v", got)
			}
		}
	})
}

// Has is true for a stored nil and false, and tells them from what is absent.
func TestHasIsTrueForAStoredNil(t *testing.T) {
	both(t, func(s *session.Session) { s.Set("nil", nil); s.Set("in.nil", nil); s.Set("no", false) },
		func(s *session.Session) {
			for path, want := range map[string]bool{"nil": true, "in.nil": true, "no": true, "in": true,
				"absent": false, "in.absent": false, "nil.x": false} {
				if got := s.Has(path); got != want {
					t.Errorf("Has(%q) = %v, want %v", path, got, want)
				}
			}
		})
}

// All is the data, without what the library keeps for itself.
func TestAllIsWithoutBookkeeping(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Persistent = true })
	v := r.visitor()
	v.with(func(s *session.Session) {
		if got := s.All(); got == nil || len(got) != 0 {
			t.Errorf("All of an empty session = %#v, want an empty map", got)
		}
		s.Login("ada", session.Remember(time.Hour))
		s.SetIdleTimeout(time.Hour)
		s.Set("a", 1)
		s.Flash("f", 2)
		s.Now("n", 3)
		want := map[string]any{"a": int64(1), "f": int64(2), "n": int64(3)}
		if got := s.All(); !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
	})
	v.with(func(s *session.Session) {
		if got, want := s.All(), map[string]any{"a": int64(1), "f": int64(2)}; !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
	})
	v.with(func(s *session.Session) {
		if got, want := s.All(), map[string]any{"a": int64(1)}; !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
	})
}

// Append makes the list, at a nested place too, and refuses what is no list.
func TestAppendMakesAndGrowsLists(t *testing.T) {
	both(t, func(s *session.Session) {
		s.Append("tags", "a")
		s.Append("tags", "b", 3, nil, []int{4})
		s.Append("article.tags", "x")
		s.Append("article.tags", "y")
		s.Set("empty", []string{})
		s.Append("empty", 1)
		s.Set("null", nil)
		s.Append("null", 1)
		s.Append("nothing")
	}, func(s *session.Session) {
		wantGet(t, s, "tags", []any{"a", "b", int64(3), nil, []any{int64(4)}})
		wantGet(t, s, "article", map[string]any{"tags": []any{"x", "y"}})
		wantGet(t, s, "empty", []any{int64(1)})
		wantGet(t, s, "null", []any{int64(1)})
		wantGet(t, s, "nothing", nil)
	})
	for _, value := range []any{"text", 1, true, map[string]any{"0": 1}} {
		refuses(t, func(s *session.Session) { s.Set("v", value); s.Set("in.v", value) },
			func(s *session.Session) { s.Append("v", 1) })
		refuses(t, func(s *session.Session) { s.Set("v", value); s.Set("in.v", value) },
			func(s *session.Session) { s.Append("in.v", 1) })
	}
}

// Pop returns the value once, at a dotted path too, and the removal is stored.
func TestPopReturnsTheValueOnce(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		s.Set("a", 1)
		s.Set("in.b", "x")
		s.Set("in.c", true)
		s.Set("l", []int{1, 2, 3})
	})
	v.with(func(s *session.Session) {
		for path, want := range map[string]any{"a": int64(1), "in.b": "x", "l.1": int64(2)} {
			if got := s.Pop(path); got != want {
				t.Errorf("Pop(%q) = %v, want %v", path, got, want)
			}
		}
		for _, path := range []string{"a", "in.b", "absent", "l.2"} {
			if got := s.Pop(path); got != nil {
				t.Errorf("second Pop(%q) = %v, want nil", path, got)
			}
		}
	})
	v.with(func(s *session.Session) {
		if got, want := s.All(), map[string]any{"in": map[string]any{"c": true},
			"l": []any{int64(1), int64(3)}}; !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
	})
}

// Remove takes away the leaf and nothing beside it; what is absent is no change.
func TestRemoveTakesTheLeafOnly(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("a", 1); s.Set("b", 2); s.Set("in.c", 3); s.Set("in.d", 4) })
	r.store.reset()
	v.with(func(s *session.Session) {
		s.Remove("absent", "in.absent", "absent.x", "a.x", "in.c.x", "", "x..y")
		s.Remove()
	})
	if n := r.store.total(); n != 1 {
		t.Errorf("%d calls to remove what is absent, want the load only", n)
	}
	v.with(func(s *session.Session) { s.Remove("a", "absent", "in.c") })
	v.with(func(s *session.Session) {
		if got, want := s.All(),
			map[string]any{"b": int64(2), "in": map[string]any{"d": int64(4)}}; !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
	})
}

// Clear takes the data and leaves the id, the user and the clocks.
func TestClearLeavesTheIdentity(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) {
		s.Login("ada")
		s.Set("a", 1)
		s.Set("in.b", 2)
		s.Flash("f", 1)
		s.SetIdleTimeout(time.Hour)
		id = s.ID()
	})
	r.clock.advance(time.Minute)
	v.with(func(s *session.Session) {
		s.Now("n", 1)
		s.Clear()
		s.Set("fresh", true)
	})
	v.with(func(s *session.Session) {
		if got, want := s.All(), map[string]any{"fresh": true}; !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
		if s.User() != "ada" || s.ID() != id || s.LoginAt().IsZero() || s.ExpiresAt().Sub(r.clock.now()) != time.Hour {
			t.Errorf("user %q, id kept %v, login %v, expires %v", s.User(), s.ID() == id, s.LoginAt(), s.ExpiresAt())
		}
		s.Clear()
	})
	v.with(func(s *session.Session) {
		if len(s.All()) != 0 || s.User() != "ada" {
			t.Errorf("All = %v, user %q", s.All(), s.User())
		}
	})
}

// An untouched session is empty and leaves nothing; only data or a user make a record and an id.
func TestASessionIsStoredOnlyWhenThereIsSomethingToStore(t *testing.T) {
	r := newRig(t)
	for name, do := range map[string]func(*session.Session){
		"nothing":    func(*session.Session) {},
		"reading":    func(s *session.Session) { s.Get("x"); s.All(); s.Has("x"); s.ID(); s.Token() },
		"regenerate": (*session.Session).Regenerate,
		"invalidate": (*session.Session).Invalidate,
		"logout":     (*session.Session).Logout,
		"clear":      (*session.Session).Clear,
		"now":        func(s *session.Session) { s.Now("x", 1) },
		"settings": func(s *session.Session) {
			s.SetPersistent(true)
			s.SetIdleTimeout(1e9)
			s.SetLifetime(1e9)
		},
		"remove":             func(s *session.Session) { s.Remove("x"); s.Pop("y"); s.Reflash() },
		"set and remove":     func(s *session.Session) { s.Set("x", 1); s.Remove("x") },
		"set and clear":      func(s *session.Session) { s.Set("x", 1); s.Clear() },
		"set and invalidate": func(s *session.Session) { s.Set("x", 1); s.Invalidate() },
		"login and logout":   func(s *session.Session) { s.Login("ada"); s.Logout() },
	} {
		t.Run(name, func(t *testing.T) {
			r.store.reset()
			v := r.visitor()
			resp := v.with(func(s *session.Session) {
				do(s)
				if s.ID() != "" || s.Token() != "" || !s.IsNew() || s.Expired() || !s.CreatedAt().IsZero() ||
					!s.ExpiresAt().IsZero() || !s.SeenAt().IsZero() {
					t.Errorf("id %q, token set %v, new %v, expires %v", s.ID(), s.Token() != "", s.IsNew(),
						s.ExpiresAt())
				}
			})
			if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil || r.store.total() != 0 {
				t.Errorf("status %d, Set-Cookie %v, %d calls", resp.StatusCode, resp.Header["Set-Cookie"] != nil,
					r.store.total())
			}
		})
	}
	v := r.visitor()
	v.with(func(s *session.Session) {
		if s.Set("x", nil); s.ID() == "" || s.Token() != "" {
			t.Errorf("before the commit: id %q, token set %v", s.ID(), s.Token() != "")
		}
	})
	if v.ticket() == "" {
		t.Error("a stored nil makes no session")
	}
}

// A value that does not encode is refused by name of its path and type, without the value.
func TestAValueThatDoesNotEncodeIsRefused(t *testing.T) {
	cyclic := map[string]any{"secret": "canary"}
	cyclic["self"] = cyclic
	for name, value := range map[string]any{
		"channel": make(chan int), "func": func() {}, "cyclic": cyclic, "infinity": math.Inf(1), "nan": math.NaN(),
		"marshaler": angry{}, "in a map": map[string]any{"secret": "canary", "c": make(chan int)},
		"bad raw": json.RawMessage("{canary"),
	} {
		for what, do := range map[string]func(*session.Session){
			"Set":    func(s *session.Session) { s.Set("the.path", value) },
			"Flash":  func(s *session.Session) { s.Flash("the.path", value) },
			"Now":    func(s *session.Session) { s.Now("the.path", value) },
			"Append": func(s *session.Session) { s.Append("the.path", value) },
			"Update": func(s *session.Session) {
				session.Key[any]("the.path").Update(s, func(any) any { return value })
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				err := refuses(t, func(*session.Session) {}, do)
				var bad *session.DecodeError
				if !errors.As(err, &bad) || bad.Path != "the.path" || strings.Contains(err.Error(), "canary") {
					t.Errorf("Err = %v, want a DecodeError with the path and without the value", err)
				}
			})
		}
	}
}

type angry struct{}

func (angry) MarshalJSON() ([]byte, error) { return nil, errors.New("canary") }

// MaxBytes: one byte too many fails the commit with ErrTooLarge, and what was stored stays.
func TestASessionAboveMaxBytesIsRefusedWhole(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.MaxBytes = 100 })
	v := r.visitor()
	var told error
	r2 := r.node(func(o *session.Options) { o.MaxBytes = 100 })
	fits := strings.Repeat("x", 100-len(`k`)-len(`""`))
	if resp := v.with(func(s *session.Session) { s.Set("k", fits) }); resp.StatusCode != 200 {
		t.Fatalf("exactly MaxBytes: status %d", resp.StatusCode)
	}
	resp := v.on(r2.Manager).with(func(s *session.Session) {
		s.Set("k", fits+"x")
		told = s.Save(t.Context())
	})
	if !errors.Is(told, session.ErrTooLarge) || resp.StatusCode != 500 {
		t.Errorf("Save = %v, status %d, want ErrTooLarge and 500", told, resp.StatusCode)
	}
	v.with(func(s *session.Session) { wantGet(t, s, "k", fits) })
	v.with(func(s *session.Session) {
		s.Set("l", 1)
		if err := s.Save(t.Context()); !errors.Is(err, session.ErrTooLarge) {
			t.Errorf("Save = %v, want ErrTooLarge", err)
		}
		s.Set("k", "")
		if err := s.Save(t.Context()); err != nil {
			t.Errorf("Save of what fits again = %v", err)
		}
	})
	fresh := r.visitor()
	resp = fresh.with(func(s *session.Session) { s.Set("k", fits+"x") })
	if resp.StatusCode != 500 || fresh.ticket() != "" {
		t.Errorf("first save: status %d, ticket set %v", resp.StatusCode, fresh.ticket() != "")
	}
	n := 0
	for range r.All(t.Context()) {
		n++
	}
	if n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

// A login with nested preferences, seen by other routes, counted, reset, and over.
func TestAVisitAcrossRoutes(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		s.Login("123")
		s.Set("preferences", map[string]any{"theme": "dark", "lang": map[string]any{"ui": "en"}})
	})
	v.with(func(s *session.Session) { s.Set("preferences.lang.ui", "ar") })
	v.with(func(s *session.Session) {
		wantGet(t, s, "preferences", map[string]any{"theme": "dark", "lang": map[string]any{"ui": "ar"}})
	})
	for _, want := range []int{1, 2} {
		v.with(func(s *session.Session) {
			if increment(s); counter.Or(s, 0) != want {
				t.Errorf("n = %d, want %d", counter.Or(s, 0), want)
			}
		})
	}
	v.with(func(s *session.Session) { counter.Remove(s) })
	v.with(func(s *session.Session) {
		if increment(s); counter.Or(s, 0) != 1 {
			t.Errorf("n after the reset = %d, want 1", counter.Or(s, 0))
		}
	})
	old := v.clone()
	v.with((*session.Session).Logout)
	for _, v := range []*visitor{v, old} {
		v.with(func(s *session.Session) {
			if s.User() != "" || s.Has("preferences") {
				t.Error("the profile is there after the logout")
			}
		})
	}
}
