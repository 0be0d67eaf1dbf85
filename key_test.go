package session_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

type cart struct {
	Items []item            `json:"items"`
	Notes map[string]string `json:"notes,omitempty"`
	Owner *string           `json:"owner"`
	At    time.Time         `json:"at"`
}

type item struct {
	SKU string `json:"sku"`
	N   int    `json:"n"`
}

// roundTrip sets a typed value and reads it in this request and in the next.
func roundTrip[T any](t *testing.T, value T) {
	t.Helper()
	for _, path := range []string{"k", "in.side.k"} {
		k := session.Key[T](path)
		both(t, func(s *session.Session) { k.Set(s, value) }, func(s *session.Session) {
			var zero T
			if got, ok := k.Get(s); !ok || !reflect.DeepEqual(got, value) {
				t.Errorf("%T: Get = %v, %v, want %v", k, got, ok, value)
			}
			if got, err := k.Lookup(s); err != nil || !reflect.DeepEqual(got, value) {
				t.Errorf("%T: Lookup = %v, %v, want %v", k, got, err, value)
			}
			if got := k.Or(s, zero); !reflect.DeepEqual(got, value) {
				t.Errorf("%T: Or = %v, want %v", k, got, value)
			}
		})
	}
}

// Typed values come back as they were, whatever their type.
func TestATypedKeyGivesBackWhatWasSet(t *testing.T) {
	owner := "ada"
	roundTrip(t, 42)
	roundTrip(t, 0)
	roundTrip(t, int64(-1<<63))
	roundTrip(t, uint64(1<<64-1))
	roundTrip(t, uint8(255))
	roundTrip(t, 1.5)
	roundTrip(t, 3.0)
	roundTrip(t, true)
	roundTrip(t, false)
	roundTrip(t, "")
	roundTrip(t, "quote \" and ü")
	roundTrip(t, []byte{0, 1, 255})
	roundTrip(t, []string{"a", ""})
	roundTrip(t, map[int]bool{3: true})
	roundTrip(t, map[string][]int{"a": {1}})
	roundTrip(t, [2]int{1, 2})
	roundTrip(t, &owner)
	roundTrip(t, time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC))
	roundTrip(t, 90*time.Minute)
	roundTrip(t, cart{Items: []item{{"x", 1}, {"y", 2}}, Notes: map[string]string{"a": "b"}, Owner: &owner,
		At: time.Unix(1, 0).UTC()})
	roundTrip[any](t, "text")
}

// The errors of Lookup tell what is absent from what does not decode, and never show the value.
func TestLookupSaysWhy(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) {
		s.Set("text", "canary")
		s.Set("in.text", "canary")
		s.Set("big", int64(1<<40))
		s.Set("nil", nil)
	})
	v.with(func(s *session.Session) {
		for path, want := range map[session.Key[int]]error{"absent": session.ErrNoValue,
			"in.absent": session.ErrNoValue, "text.x": session.ErrNoValue, "": session.ErrNoValue} {
			if n, err := path.Lookup(s); !errors.Is(err, want) || n != 0 {
				t.Errorf("Lookup(%q) = %v, %v, want %v", path, n, err, want)
			}
		}
		for _, err := range []error{lookupErr[int](s, "text"), lookupErr[int](s, "in.text"),
			lookupErr[[]string](s, "text"), lookupErr[cart](s, "text"), lookupErr[int8](s, "big"),
			lookupErr[time.Time](s, "text")} {
			var bad *session.DecodeError
			if !errors.As(err, &bad) || errors.Is(err, session.ErrNoValue) {
				t.Fatalf("Lookup = %v, want a *DecodeError", err)
			}
			text := fmt.Sprintf("%v %+v %#v %v", err, err, bad, bad.Err)
			if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprint(int64(1<<40))) {
				t.Errorf("the error shows the value: %s", text)
			}
			if bad.Path == "" || bad.Err == nil || !strings.Contains(err.Error(), bad.Path) {
				t.Errorf("DecodeError = %+v, want path and reason", bad)
			}
		}
		if err := lookupErr[int](s, "text"); !strings.Contains(err.Error(), "int") {
			t.Errorf("the error does not name the type: %v", err)
		}
		if n, err := session.Key[int]("nil").Lookup(s); n != 0 || err != nil {
			t.Errorf("Lookup of a stored nil = %v, %v, want the zero value", n, err)
		}
		if n, ok := session.Key[int]("text").Get(s); n != 0 || ok {
			t.Errorf("Get of what does not decode = %v, %v", n, ok)
		}
		if n := session.Key[int]("text").Or(s, 7); n != 7 {
			t.Errorf("Or of what does not decode = %v, want the fallback", n)
		}
	})
	if n := r.ev.count(session.EventUndecodable); n != 3 {
		t.Errorf("%d events undecodable, want one for each path", n)
	}
	for _, e := range r.ev.list {
		if e.Err != nil && strings.Contains(fmt.Sprintf("%+v", e), "canary") {
			t.Errorf("an event shows the value: %+v", e)
		}
	}
}

func lookupErr[T any](s *session.Session, path string) error {
	_, err := session.Key[T](path).Lookup(s)
	return err
}

// An update is done again on what another request left.
func TestUpdateIsDoneAgainOnAConflict(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { counter.Set(s, 10) })
	s, runs := v.open(), 0
	counter.Update(s, func(n int) int { runs++; return n + 1 })
	v.with(func(s *session.Session) { counter.Set(s, 20) })
	if err := s.Save(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := counter.Or(s, 0); n != 21 || runs < 2 {
		t.Errorf("n = %d after %d runs, want 21 after a second run", n, runs)
	}
	v.with(func(s *session.Session) {
		if n := counter.Or(s, 0); n != 21 {
			t.Errorf("stored: %d, want 21", n)
		}
	})
}

func TestUpdateBeginsWithTheZeroValue(t *testing.T) {
	both(t, func(s *session.Session) {
		increment(s)
		session.Key[cart]("in.cart").Update(s, func(c cart) cart { c.Items = append(c.Items, item{"x", 1}); return c })
		session.Key[[]string]("list").Update(s, func(l []string) []string { return append(l, "a") })
		session.Key[map[string]int]("map").Update(s, func(m map[string]int) map[string]int {
			if m != nil {
				t.Errorf("the zero value is %v", m)
			}
			return map[string]int{"a": 1}
		})
	}, func(s *session.Session) {
		wantGet(t, s, "n", int64(1))
		wantGet(t, s, "in.cart.items.0.sku", "x")
		wantGet(t, s, "list", []any{"a"})
		wantGet(t, s, "map", data{"a": int64(1)})
	})
}

// Update on what does not decode is refused, with the path and without the value; nothing of the request is stored.
func TestUpdateOfWhatDoesNotDecodeIsRefused(t *testing.T) {
	for _, path := range []string{"text", "in.text"} {
		err := refuses(t, func(s *session.Session) { s.Set(path, "canary") }, func(s *session.Session) {
			session.Key[int](path).Update(s, func(n int) int { t.Error("fn runs"); return n })
		})
		var bad *session.DecodeError
		if !errors.As(err, &bad) || bad.Path != path || strings.Contains(err.Error(), "canary") {
			t.Errorf("Err = %v, want a DecodeError of %q", err, path)
		}
	}
}

// The function of an Update may read the session, and even change it.
func TestUpdateMayUseTheSession(t *testing.T) {
	both(t, func(s *session.Session) {
		s.Set("step", 5)
		counter.Update(s, func(n int) int { return n + session.Key[int]("step").Or(s, 0) })
	}, func(s *session.Session) { wantGet(t, s, "n", int64(5)) })
}

// It may do so as well when it runs again, because a Save was under way that did not have it yet.
func TestUpdateMayUseTheSessionDuringASave(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	step := session.Key[int]("step")
	v.with(func(s *session.Session) {
		step.Set(s, 5)
		begun, goOn, saved := make(chan bool), make(chan bool), make(chan error)
		r.store.hook(func(string, string) error {
			close(begun)
			<-goOn
			return nil
		})
		go func() { saved <- s.Save(t.Context()) }()
		<-begun
		counter.Update(s, func(n int) int { return n + step.Or(s, 0) })
		r.store.hook(nil)
		close(goOn)
		if err := <-saved; err != nil {
			t.Error(err)
		}
		wantGet(t, s, "n", int64(5))
	})
	v.with(func(s *session.Session) { wantGet(t, s, "n", int64(5)) })
}

// Nor does a Login wait for it that begins a fresh session with what the request did.
func TestUpdateMayUseTheSessionThatALoginBegins(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("step", 1) })
	old := v.clone()
	v.with(func(s *session.Session) { s.Logout() })
	old.with(func(s *session.Session) {
		s.Set("step", 5)
		counter.Update(s, func(n int) int { return n + session.Key[int]("step").Or(s, 0) })
		s.Login("ada")
	})
	old.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Errorf("user %q", s.User())
		}
		wantGet(t, s, "n", int64(5))
	})
}

// The remaining typed methods do as the untyped ones.
func TestTypedPopRemoveFlashAndAppend(t *testing.T) {
	v := newRig(t).visitor()
	tags := session.Key[[]string]("article.tags")
	v.with(func(s *session.Session) {
		counter.Set(s, 1)
		session.Append(s, tags, "a")
		session.Append(s, tags, "b", "c")
		session.Append(s, session.Key[[]item]("items"), item{"x", 1})
		session.Append(s, session.Key[[]int]("none"))
		session.Key[cart]("f").Flash(s, cart{Items: []item{{"y", 2}}})
	})
	v.with(func(s *session.Session) {
		if n, ok := counter.Pop(s); n != 1 || !ok {
			t.Errorf("Pop = %v, %v", n, ok)
		}
		if n, ok := counter.Pop(s); n != 0 || ok {
			t.Errorf("second Pop = %v, %v", n, ok)
		}
		if got := tags.Or(s, nil); !reflect.DeepEqual(got, []string{"a", "b", "c"}) {
			t.Errorf("tags = %v", got)
		}
		if got := session.Key[[]item]("items").Or(s, nil); !reflect.DeepEqual(got, []item{{"x", 1}}) {
			t.Errorf("items = %v", got)
		}
		if c, ok := session.Key[cart]("f").Get(s); !ok || c.Items[0].N != 2 {
			t.Errorf("flashed = %v, %v", c, ok)
		}
		if s.Has("none") {
			t.Error("Append of nothing makes a list")
		}
		tags.Remove(s)
	})
	v.with(func(s *session.Session) {
		if got, want := s.All(),
			(data{"article": data{}, "items": []any{data{"sku": "x", "n": int64(1)}}}); !reflect.DeepEqual(got, want) {
			t.Errorf("All = %v, want %v", got, want)
		}
	})
}

// What a typed key returned belongs to the handler.
func TestATypedValueIsACopy(t *testing.T) {
	v := newRig(t).visitor()
	k := session.Key[map[string][]int]("m")
	v.with(func(s *session.Session) {
		mine := map[string][]int{"a": {1}}
		k.Set(s, mine)
		mine["a"][0] = 2
		k.Or(s, nil)["a"][0] = 3
		k.Update(s, func(m map[string][]int) map[string][]int { mine = m; return m })
		mine["a"][0] = 4
	})
	v.with(func(s *session.Session) {
		if got := k.Or(s, nil)["a"][0]; got != 1 {
			t.Errorf("stored %d, want 1", got)
		}
	})
}
