package session_test

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// visits runs one request after another, each with what it does and the data that it sees before.
func visits(t *testing.T, v *visitor, steps ...visit) {
	t.Helper()
	for i, step := range steps {
		resp := v.with(func(s *session.Session) {
			if got := s.All(); !reflect.DeepEqual(got, step.sees) && len(got)+len(step.sees) > 0 {
				t.Errorf("request %d sees %v, want %v", i+1, got, step.sees)
			}
			if step.does != nil {
				step.does(s)
			}
			if err := s.Err(); err != nil {
				t.Errorf("request %d: Err = %v", i+1, err)
			}
		})
		if resp.StatusCode != http.StatusOK {
			t.Errorf("request %d: status %d", i+1, resp.StatusCode)
		}
	}
}

type visit struct {
	sees data
	does func(*session.Session)
}

type data = map[string]any

func flashed(s *session.Session) { s.Flash("f", "ok") }

// Flash data are there at once and in the next request, then gone, and leave no trace.
func TestFlashLastsForThisRequestAndTheNext(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	visits(t, v, visit{nil, func(s *session.Session) { s.Set("keep", 1) }})
	size := recordSize(t, r)
	visits(t, v,
		visit{data{"keep": int64(1)}, func(s *session.Session) {
			s.Flash("f", "ok")
			s.Flash("n", 2)
			s.Flash("in.deep.b", true)
			want := data{"keep": int64(1), "f": "ok", "n": int64(2), "in": data{"deep": data{"b": true}}}
			if got := s.All(); !reflect.DeepEqual(got, want) {
				t.Errorf("at once: %v, want %v", got, want)
			}
		}},
		visit{data{"keep": int64(1), "f": "ok", "n": int64(2), "in": data{"deep": data{"b": true}}}, nil},
		visit{data{"keep": int64(1)}, nil},
		visit{data{"keep": int64(1)}, nil},
	)
	if got := recordSize(t, r); got > size+8 { // the count of flashes may take a byte more
		t.Errorf("the record has %d bytes, before the flashes it had %d", got, size)
	}
}

func recordSize(t *testing.T, r *rig) int {
	t.Helper()
	for info, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.store.fullStore.Load(t.Context(), info.ID)
		if err != nil {
			t.Fatal(err)
		}
		return len(rec.Data)
	}
	t.Fatal("no record")
	return 0
}

// A form sends a message through a redirect, and it is shown once.
func TestAFlashedMessageIsShownOnce(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	resp := v.do(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Flash("status", "Saved.")
		http.Redirect(w, req, "/", http.StatusSeeOther)
	})
	if resp.StatusCode != http.StatusSeeOther || resp.Header["Set-Cookie"] == nil {
		t.Errorf("status %d, cookie %v", resp.StatusCode, resp.Header["Set-Cookie"] != nil)
	}
	visits(t, v, visit{data{"status": "Saved."}, nil}, visit{nil, nil})
}

// The next request is the next one that loads the session.
func TestUntouchedRequestsDoNotConsumeFlashData(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	visits(t, v, visit{nil, flashed})
	r.store.reset()
	for range 3 {
		v.through(r.Middleware(http.NotFoundHandler()), "GET")
	}
	if n := r.store.total(); n != 0 {
		t.Errorf("%d calls for untouched requests", n)
	}
	visits(t, v, visit{data{"f": "ok"}, nil}, visit{nil, nil})
}

// Set on a flashed path makes it ordinary data, in the same request and in the next.
func TestSetMakesFlashedDataOrdinary(t *testing.T) {
	for name, set := range map[string]func(*session.Session){
		"the path":   func(s *session.Session) { s.Set("in.f", "kept") },
		"the parent": func(s *session.Session) { s.Set("in", data{"f": "kept"}) },
	} {
		flash := func(s *session.Session) { s.Flash("in.f", "ok") }
		kept := data{"in": data{"f": "kept"}}
		t.Run(name+" at once", func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, func(s *session.Session) { flash(s); set(s) }}, visit{kept, nil},
				visit{kept, nil}, visit{kept, nil})
		})
		t.Run(name+" in the next request", func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, flash}, visit{data{"in": data{"f": "ok"}}, set}, visit{kept, nil},
				visit{kept, nil})
		})
	}
}

func TestFlashOnOrdinaryDataMakesItFlash(t *testing.T) {
	visits(t, newRig(t).visitor(),
		visit{nil, func(s *session.Session) { s.Set("f", 1); s.Set("in.g", 1); s.Set("in.h", 1) }},
		visit{data{"f": int64(1), "in": data{"g": int64(1), "h": int64(1)}},
			func(s *session.Session) { s.Flash("f", 2); s.Flash("in.g", 2) }},
		visit{data{"f": int64(2), "in": data{"g": int64(2), "h": int64(1)}}, nil},
		visit{data{"in": data{"h": int64(1)}}, nil},
	)
}

func TestFlashAgainKeepsTheNewValueForOneMoreRequest(t *testing.T) {
	visits(t, newRig(t).visitor(),
		visit{nil, flashed},
		visit{data{"f": "ok"}, func(s *session.Session) { s.Flash("f", "again") }},
		visit{data{"f": "again"}, nil},
		visit{nil, nil},
	)
}

// Reflash keeps all flash data, or what is named, and leaves ordinary and absent data alone.
func TestReflashKeepsFlashDataForOneMoreRequest(t *testing.T) {
	flash := func(s *session.Session) { s.Flash("a", 1); s.Flash("in.b", 2); s.Flash("in.c", 3); s.Set("o", 4) }
	all := data{"a": int64(1), "in": data{"b": int64(2), "c": int64(3)}, "o": int64(4)}
	for name, c := range map[string]struct {
		only []string
		kept data
	}{
		"all": {nil, all},
		"one": {[]string{"a"}, data{"a": int64(1), "o": int64(4)}},
		"two": {[]string{"a", "in.c"}, data{"a": int64(1), "in": data{"c": int64(3)},
			"o": int64(4)}},
		"a parent":                 {[]string{"in"}, data{"in": data{"b": int64(2), "c": int64(3)}, "o": int64(4)}},
		"ordinary, absent, hollow": {[]string{"o", "absent", "in.absent", "a.x", "", "x..y"}, data{"o": int64(4)}},
	} {
		t.Run(name, func(t *testing.T) {
			last := data{"o": int64(4)}
			visits(t, newRig(t).visitor(), visit{nil, flash},
				visit{all, func(s *session.Session) { s.Reflash(c.only...) }}, visit{c.kept, nil}, visit{last, nil},
				visit{last, nil})
		})
	}
	t.Run("at each request", func(t *testing.T) {
		again := func(s *session.Session) { s.Reflash() }
		visits(t, newRig(t).visitor(), visit{nil, flashed}, visit{data{"f": "ok"}, again},
			visit{data{"f": "ok"}, again}, visit{data{"f": "ok"}, nil}, visit{nil, nil})
	})
	t.Run("in the request that flashed", func(t *testing.T) {
		visits(t, newRig(t).visitor(), visit{nil, func(s *session.Session) { flashed(s); s.Reflash() }},
			visit{data{"f": "ok"}, nil}, visit{nil, nil})
	})
	t.Run("on nothing costs nothing", func(t *testing.T) {
		r := newRig(t)
		v := r.visitor()
		visits(t, v, visit{nil, func(s *session.Session) { s.Set("o", 1) }})
		r.store.reset()
		visits(t, v, visit{data{"o": int64(1)}, func(s *session.Session) { s.Reflash(); s.Reflash("o") }})
		if n := r.store.total(); n != 1 {
			t.Errorf("%d calls, want the load only", n)
		}
	})
}

// Now shadows what is stored, for this request only; Reflash turns it into flash data.
func TestNowIsForThisRequestOnly(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	visits(t, v, visit{nil, func(s *session.Session) { s.Set("x", 1); s.Set("in.y", 1) }})
	r.store.reset()
	visits(t, v, visit{data{"x": int64(1), "in": data{"y": int64(1)}}, func(s *session.Session) {
		s.Now("x", 2)
		s.Now("in.z", 3)
		s.Now("only", 4)
		want := data{"x": int64(2), "in": data{"y": int64(1), "z": int64(3)}, "only": int64(4)}
		if got := s.All(); !reflect.DeepEqual(got, want) {
			t.Errorf("with Now: %v, want %v", got, want)
		}
		if n, err := session.Key[int]("x").Lookup(s); n != 2 || err != nil {
			t.Errorf("Lookup = %v, %v, want 2", n, err)
		}
	}})
	if n := r.store.total(); n != 1 {
		t.Errorf("%d calls, want the load only", n)
	}
	visits(t, v,
		visit{data{"x": int64(1), "in": data{"y": int64(1)}}, func(s *session.Session) {
			s.Now("x", 5)
			s.Set("x", 6)
			s.Now("gone", 1)
			if got := s.Pop("gone"); got != int64(1) || s.Has("gone") {
				t.Errorf("Pop = %v, then Has = %v", got, s.Has("gone"))
			}
		}},
		visit{data{"x": int64(6), "in": data{"y": int64(1)}}, func(s *session.Session) {
			s.Now("a", 1)
			s.Now("b", 2)
			s.Reflash("a")
		}},
		visit{data{"x": int64(6), "in": data{"y": int64(1)}, "a": int64(1)},
			func(s *session.Session) { s.Now("c", 3); s.Reflash() }},
		visit{data{"x": int64(6), "in": data{"y": int64(1)}, "a": int64(1), "c": int64(3)}, nil},
		visit{data{"x": int64(6), "in": data{"y": int64(1)}}, nil},
	)
}

// What is done within a value that Now set is seen there, and what it does to the stored value stays.
func TestChangesWithinWhatNowSetAreSeen(t *testing.T) {
	v := newRig(t).visitor()
	stored := data{"a": data{"b": int64(1), "c": int64(2)}}
	for name, row := range map[string]struct {
		does        func(*session.Session)
		sees, after data
	}{
		"set": {func(s *session.Session) { s.Set("a.b", 5) }, data{"b": int64(5), "c": int64(20)},
			data{"b": int64(5), "c": int64(2)}},
		"flash": {func(s *session.Session) { s.Flash("a.b", 5) }, data{"b": int64(5), "c": int64(20)},
			data{"b": int64(5), "c": int64(2)}},
		"remove": {func(s *session.Session) { s.Remove("a.b") }, data{"c": int64(20)}, data{"c": int64(2)}},
		"append": {
			func(s *session.Session) { s.Append("a.l", 1) },
			data{"b": int64(10), "c": int64(20), "l": []any{int64(1)}},
			data{"b": int64(1), "c": int64(2), "l": []any{int64(1)}},
		},
		"update": {
			func(s *session.Session) {
				session.Key[int]("a.n").Update(s, func(n int) int { s.Get("a"); return n + 1 })
			},
			data{"b": int64(10), "c": int64(20), "n": int64(1)}, data{"b": int64(1), "c": int64(2), "n": int64(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			visits(t, v,
				visit{nil, func(s *session.Session) { s.Set("a", stored["a"]) }},
				visit{stored, func(s *session.Session) {
					s.Now("a", data{"b": 10, "c": 20})
					row.does(s)
					if got := s.Get("a"); !reflect.DeepEqual(got, row.sees) {
						t.Errorf("in this request a is %v, want %v", got, row.sees)
					}
				}},
				visit{data{"a": row.after}, (*session.Session).Clear},
			)
		})
	}
	v.with(func(s *session.Session) {
		s.Now("x", 1)
		s.Set("x.y", 2)
		wantGet(t, s, "x.y", int64(2))
	})
}

// Remove, Pop and Clear of flashed data, or of their parent, are harmless, in the same request and in the next.
func TestRemovingFlashedDataIsHarmless(t *testing.T) {
	for name, remove := range map[string]func(*session.Session){
		"Remove":        func(s *session.Session) { s.Remove("in.f") },
		"Pop":           func(s *session.Session) { s.Pop("in.f") },
		"typed Pop":     func(s *session.Session) { session.Key[string]("in.f").Pop(s) },
		"Remove parent": func(s *session.Session) { s.Remove("in") },
		"Clear":         func(s *session.Session) { s.Clear() },
		"twice":         func(s *session.Session) { s.Remove("in.f", "in.f", "in"); s.Clear() },
		"then Reflash":  func(s *session.Session) { s.Remove("in"); s.Reflash(); s.Reflash("in.f") },
		"parent scalar": func(s *session.Session) { s.Set("in", 1); s.Remove("in") },
	} {
		flash := func(s *session.Session) { s.Flash("in.f", "ok") }
		t.Run(name+" at once", func(t *testing.T) {
			v := newRig(t).visitor()
			visits(t, v, visit{nil, func(s *session.Session) { flash(s); remove(s) }})
			v.with(func(s *session.Session) {
				if s.Has("in.f") {
					t.Error("the flashed value is back")
				}
			})
		})
		t.Run(name+" in the next request", func(t *testing.T) {
			v := newRig(t).visitor()
			visits(t, v, visit{nil, flash}, visit{data{"in": data{"f": "ok"}}, remove})
			for range 2 {
				if resp := v.with(func(s *session.Session) {
					if s.Has("in.f") {
						t.Error("the flashed value is back")
					}
				}); resp.StatusCode != 200 {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
}

// A scalar that took the place of a flashed value's parent stays.
func TestAParentThatBecameAScalarIsNotTakenAway(t *testing.T) {
	visits(t, newRig(t).visitor(),
		visit{nil, func(s *session.Session) { s.Flash("in.f", 1) }},
		visit{data{"in": data{"f": int64(1)}}, func(s *session.Session) { s.Set("in", "text") }},
		visit{data{"in": "text"}, nil},
		visit{data{"in": "text"}, nil},
	)
}

// The elements of a list move up when one before them goes. The flashed ones leave, and no other.
func TestFlashedListElementsAreFollowed(t *testing.T) {
	letters := func(s *session.Session) { s.Set("l", []string{"a", "b", "c", "d"}) }
	for name, row := range map[string]struct {
		does      func(*session.Session)
		sees, end []any
	}{
		"one before it is removed": {func(s *session.Session) { s.Flash("l.1", "B"); s.Remove("l.0") },
			[]any{"B", "c", "d"}, []any{"c", "d"}},
		"one behind it is removed": {func(s *session.Session) { s.Flash("l.1", "B"); s.Remove("l.2") },
			[]any{"a", "B", "d"}, []any{"a", "d"}},
		"it is removed": {func(s *session.Session) { s.Flash("l.1", "B"); s.Remove("l.1") },
			[]any{"a", "c", "d"}, []any{"a", "c", "d"}},
		"it is popped, others moved": {func(s *session.Session) {
			s.Flash("l.1", "B")
			s.Flash("l.2", "C")
			s.Pop("l.1")
		}, []any{"a", "C", "d"}, []any{"a", "d"}},
		"several go together": {func(s *session.Session) {
			s.Flash("l.0", "A")
			s.Flash("l.2", "C")
			s.Flash("l.1", "B")
		}, []any{"A", "B", "C", "d"}, []any{"d"}},
		"a part of a later one": {
			func(s *session.Session) { s.Set("l.2", data{"x": 1}); s.Flash("l.2.y", 2); s.Remove("l.0") },
			[]any{"b", data{"x": int64(1), "y": int64(2)}, "d"}, []any{"b", data{"x": int64(1)}, "d"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			visits(t, newRig(t).visitor(),
				visit{nil, letters},
				visit{data{"l": []any{"a", "b", "c", "d"}}, row.does},
				visit{data{"l": row.sees}, nil},
				visit{data{"l": row.end}, nil},
				visit{data{"l": row.end}, nil},
			)
		})
	}
	t.Run("a map with numbers for keys", func(t *testing.T) {
		visits(t, newRig(t).visitor(),
			visit{nil, func(s *session.Session) {
				s.Set("m", data{"0": "a", "1": "b"})
				s.Flash("m.1", "B")
				s.Remove("m.0")
			}},
			visit{data{"m": data{"1": "B"}}, nil},
			visit{data{"m": data{}}, nil},
		)
	})
}

// What is set or flashed within a flashed value outlives the rest of it.
func TestASetWithinFlashedDataIsKept(t *testing.T) {
	form := func(s *session.Session) { s.Flash("form", data{"name": "ada", "in": data{"x": 1, "y": 2}}) }
	sees := data{"form": data{"name": "ada", "in": data{"x": int64(1), "y": int64(2)}}}
	for name, row := range map[string]struct {
		does         func(*session.Session)
		next, finish data
	}{
		"set": {func(s *session.Session) { s.Set("form.in.x", 3) }, data{"form": data{"in": data{"x": int64(3)}}},
			data{"form": data{"in": data{"x": int64(3)}}}},
		"flash": {func(s *session.Session) { s.Flash("form.in.x", 3) }, data{"form": data{"in": data{"x": int64(3)}}},
			nil},
		"remove": {func(s *session.Session) { s.Remove("form.in.x") }, nil, nil},
		"new": {func(s *session.Session) { s.Set("form.z", 3) }, data{"form": data{"z": int64(3)}},
			data{"form": data{"z": int64(3)}}},
	} {
		t.Run(name, func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, form}, visit{sees, row.does}, visit{row.next, nil},
				visit{row.finish, nil})
		})
	}
}

// Flash data go along with the session when its id changes, and end with it.
func TestFlashThroughChangesOfIdentity(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"login": func(s *session.Session) { s.Login("ada") }, "regenerate": (*session.Session).Regenerate,
	} {
		t.Run(name+" in the request that flashed", func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, func(s *session.Session) { s.Set("x", 1) }},
				visit{data{"x": int64(1)}, func(s *session.Session) { flashed(s); change(s) }},
				visit{data{"x": int64(1), "f": "ok"}, nil}, visit{data{"x": int64(1)}, nil})
		})
		t.Run(name+" in the next request", func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, func(s *session.Session) { s.Set("x", 1); flashed(s) }},
				visit{data{"x": int64(1), "f": "ok"}, change}, visit{data{"x": int64(1)}, nil})
		})
	}
	t.Run("logout, then a message for the stranger", func(t *testing.T) {
		v := newRig(t).visitor()
		visits(t, v, visit{nil, func(s *session.Session) { s.Login("ada"); s.Set("x", 1) }},
			visit{data{"x": int64(1)}, func(s *session.Session) { s.Logout(); s.Flash("f", "bye") }},
			visit{data{"f": "bye"}, nil}, visit{nil, nil})
	})
	t.Run("renewal", func(t *testing.T) {
		r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
		v := r.visitor()
		visits(t, v, visit{nil, func(s *session.Session) { s.Set("x", 1) }})
		r.clock.advance(2 * time.Hour)
		ticket := v.ticket()
		visits(t, v, visit{data{"x": int64(1)}, flashed}, visit{data{"x": int64(1), "f": "ok"}, nil})
		if v.ticket() == ticket {
			t.Fatal("not renewed")
		}
		visits(t, v, visit{data{"x": int64(1)}, flashed})
		r.clock.advance(2 * time.Hour)
		visits(t, v, visit{data{"x": int64(1), "f": "ok"}, nil}, visit{data{"x": int64(1)}, nil})
	})
}

// Requests that have the session at the same time all see the flashed value; it is gone after them, and what one of
// them flashes is there for the next one.
func TestConcurrentRequestsAllSeeTheFlash(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	visits(t, v, visit{nil, flashed})
	a, b := v.open(), v.open()
	for _, s := range []*session.Session{a, b} {
		if s.Get("f") != "ok" {
			t.Error("a concurrent request does not see the flash")
		}
	}
	b.Flash("g", "from b")
	for _, s := range []*session.Session{b, a} {
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Get("f") != "ok" {
			t.Error("the flash is not readable after the commit of the same request")
		}
	}
	visits(t, v, visit{data{"g": "from b"}, nil}, visit{nil, nil})
}

// What another request flashed since is not consumed by one that loaded the session before.
func TestAFlashOfAnotherRequestIsNotConsumed(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	visits(t, v, visit{nil, func(s *session.Session) { s.Set("x", 0) }})
	for n := range int64(2) { // the second time there have been flash data before
		slow := v.open()
		visits(t, v, visit{data{"x": n}, flashed})
		slow.Set("x", n+1)
		if err := slow.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		visits(t, v, visit{data{"x": n + 1, "f": "ok"}, nil}, visit{data{"x": n + 1}, nil})
	}
}

// A request that only reads must not fail, and must not lose the flash, when it cannot be stored.
func TestAFlashSurvivesAFailedCommit(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	visits(t, v, visit{nil, flashed})
	r.store.hook(func(c, _ string) error {
		if c == "save" {
			return errDown
		}
		return nil
	})
	visits(t, v, visit{data{"f": "ok"}, func(s *session.Session) {
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		wantGet(t, s, "f", "ok")
	}}, visit{data{"f": "ok"}, nil})
	r.store.hook(nil)
	visits(t, v, visit{data{"f": "ok"}, nil}, visit{nil, nil})
}

// After a Save in the same request the flash of the last request is still readable, and can be kept.
func TestReflashAfterASave(t *testing.T) {
	visits(t, newRig(t).visitor(),
		visit{nil, func(s *session.Session) { flashed(s); s.Set("x", 1) }},
		visit{data{"f": "ok", "x": int64(1)}, func(s *session.Session) {
			s.Set("x", 2)
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
			wantGet(t, s, "f", "ok")
			s.Reflash()
		}},
		visit{data{"f": "ok", "x": int64(2)}, nil},
		visit{data{"x": int64(2)}, nil},
	)
}

func TestFlashDataStayReadableAfterAReload(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) { s.Set("x", 1); s.Flash("a", "old") })
	s := v.open()
	v.with(func(s *session.Session) { s.Set("x", 2) }) // which is the last request that sees them
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantGet(t, s, "x", int64(2))
	wantGet(t, s, "a", "old")
}
