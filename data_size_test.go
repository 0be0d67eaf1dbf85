package session_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// byteCodec is JSON that counts the bytes that go through it, and how often they are many.
type byteCodec struct {
	bytes, large *atomic.Int64
	many         int
}

func newByteCodec(many int) byteCodec { return byteCodec{new(atomic.Int64), new(atomic.Int64), many} }

func (c byteCodec) count(n int) {
	c.bytes.Add(int64(n))
	if n >= c.many {
		c.large.Add(1)
	}
}

func (c byteCodec) reset() { c.bytes.Store(0); c.large.Store(0) }

func (c byteCodec) Marshal(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	c.count(len(raw))
	return raw, err
}

func (c byteCodec) Unmarshal(data []byte, v any) error {
	c.count(len(data))
	return json.Unmarshal(data, v)
}

// fields are the fields of a form of about 31 kB.
func fields() []string {
	names := make([]string, 2000)
	for i := range names {
		names[i] = fmt.Sprintf("f%04d", i)
	}
	return names
}

// A stranger chooses how many fields a form has. What is done with them costs in proportion to the form: what lies
// below one key is decoded once and encoded once, however often it is touched.
func TestWhatLiesBelowOneKeyIsEncodedOnce(t *testing.T) {
	names := fields()
	each := func(do func(s *session.Session, name string)) func(*session.Session) {
		return func(s *session.Session) {
			for _, name := range names {
				do(s, name)
			}
		}
	}
	path := func(name string) string { return session.Path("old", name) }
	set := each(func(s *session.Session, name string) { s.Set(path(name), "value") })
	flash := each(func(s *session.Session, name string) { s.Flash(path(name), "value") })
	add := each(func(s *session.Session, name string) { s.Append("old", "value of "+name) })
	for name, row := range map[string]struct {
		before, do func(*session.Session)
		large      int64 // how often a value of half the form may go through the codec
	}{
		"set":       {nil, set, 1},
		"set again": {set, set, 2},
		"set and look": {set, each(func(s *session.Session, name string) {
			s.Has("old")
			s.Set(path(name), 1)
			s.Get(path(name))
		}), 2},
		"append":          {nil, add, 1},
		"append more":     {add, add, 2},
		"flash":           {nil, flash, 1},
		"read flash":      {flash, each(func(s *session.Session, name string) { s.Get(path(name)) }), 3},
		"reflash":         {flash, func(s *session.Session) { s.Reflash() }, 4},
		"reflash by name": {flash, func(s *session.Session) { s.Reflash(mapped(names, path)...) }, 4},
		"remove":          {set, each(func(s *session.Session, name string) { s.Remove(path(name)) }), 2},
		"pop flash":       {flash, each(func(s *session.Session, name string) { s.Pop(path(name)) }), 3},
		"update": {set, each(func(s *session.Session, name string) {
			session.Key[string](path(name)).Update(s, strings.ToUpper)
		}), 2},
		"now": {set, each(func(s *session.Session, name string) {
			s.Now(path(name), "now")
			s.Get(path(name))
		}), 2},
		"set within a flash": {func(s *session.Session) { s.Flash("old", form(names)) }, set, 4},
		"set after a save": {func(s *session.Session) { s.Flash("old", form(names)) },
			func(s *session.Session) { save(t, s); set(s); save(t, s) }, 6},
		"elements of a flash": {func(s *session.Session) { s.Flash("old", names) },
			func(s *session.Session) { s.Set("old.0", "x") }, 5},
		"elements of a flash2": {func(s *session.Session) { s.Flash("old", names); s.Set("old.0", "x") },
			func(s *session.Session) { s.Get("old.1") }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			c := newByteCodec(10000)
			v := newRig(t, with(c)).visitor()
			if row.before != nil {
				v.with(row.before)
			}
			c.reset()
			if resp := v.with(row.do); resp.StatusCode != http.StatusOK {
				t.Fatalf("status %d", resp.StatusCode)
			}
			if n := c.large.Load(); n > row.large {
				t.Errorf("%d values of half the form went through the codec, want at most %d", n, row.large)
			}
			if n := c.bytes.Load(); n > 500_000 {
				t.Errorf("%d bytes went through the codec for a form of 31 kB", n)
			}
		})
	}
}

func mapped(names []string, fn func(string) string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = fn(name)
	}
	return out
}

func form(names []string) map[string]string {
	m := map[string]string{}
	for _, name := range names {
		m[name] = "value"
	}
	return m
}

func save(t *testing.T, s *session.Session) {
	t.Helper()
	if err := s.Save(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMaxBytesIsKnownAtTheOperation(t *testing.T) {
	big := strings.Repeat("x", 200)
	for name, do := range map[string]func(*session.Session){
		"set":    func(s *session.Session) { s.Set("the.path", big) },
		"key":    func(s *session.Session) { s.Set(`the\.path`, big) },
		"append": func(s *session.Session) { s.Append("the.path", big) },
		"flash":  func(s *session.Session) { s.Flash("the.path", big) },
		"update": func(s *session.Session) {
			session.Key[string]("the.path").Update(s, func(string) string { return big })
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newRig(t, func(o *session.Options) { o.MaxBytes = 150 }).visitor()
			v.with(func(s *session.Session) { s.Set("keep", 1) })
			resp := v.with(func(s *session.Session) {
				do(s)
				err := s.Err()
				if !errors.Is(err, session.ErrTooLarge) || !strings.Contains(err.Error(), "path") ||
					!strings.Contains(err.Error(), "Options.MaxBytes") ||
					strings.Contains(err.Error(), "xx") {
					t.Errorf("Err = %v, want ErrTooLarge with the path and the option, and without the value", err)
				}
				if err := s.Save(t.Context()); !errors.Is(err, session.ErrTooLarge) {
					t.Errorf("Save = %v, want ErrTooLarge", err)
				}
			})
			if resp.StatusCode != http.StatusInternalServerError {
				t.Errorf("status %d, want 500", resp.StatusCode)
			}
			v.with(func(s *session.Session) { wantGet(t, s, "the.path", nil); wantGet(t, s, "keep", int64(1)) })
		})
	}
}

// The memory of one request is bounded too: one operation may go above the limit, and no more.
func TestARequestDoesNotGrowFarAboveMaxBytes(t *testing.T) {
	v := newRig(t, func(o *session.Options) { o.MaxBytes = 1000 }).visitor()
	v.with(func(s *session.Session) {
		for i := range 1000 {
			s.Append("list", strings.Repeat("x", 100))
			s.Set(session.Path("map", fmt.Sprint(i)), strings.Repeat("x", 100))
		}
		list, _ := s.Get("list").([]any)
		values, _ := s.Get("map").(map[string]any)
		if n := len(list) + len(values); n > 10 {
			t.Errorf("%d values of 100 bytes under MaxBytes 1000", n)
		}
	})
}

// What makes room again makes the session storable, at any place, and flash data that end with this request take none.
func TestRoomIsMadeAgain(t *testing.T) {
	x := strings.Repeat("x", 60)
	for name, do := range map[string]func(*session.Session){
		"remove a key":      func(s *session.Session) { s.Set("b", x); s.Remove("a") },
		"remove a part":     func(s *session.Session) { s.Set("b", x); s.Remove("in.a") },
		"remove an element": func(s *session.Session) { s.Append("l", x); s.Remove("l.0"); s.Remove("in.a") },
		"replace":           func(s *session.Session) { s.Set("b", x); s.Set("a", "") },
		"replace a part":    func(s *session.Session) { s.Set("in.b", x); s.Set("in.a", 1) },
		"clear":             func(s *session.Session) { s.Set("b", x); s.Clear(); s.Set("c", x) },
		"pop":               func(s *session.Session) { s.Set("b", x); s.Pop("in.a") },
		"update": func(s *session.Session) {
			s.Set("b", x)
			session.Key[string]("a").Update(s, func(string) string { return "" })
		},
		"over flash data": func(s *session.Session) { s.Remove("a"); s.Set("c", x) },
		"in steps":        func(s *session.Session) { s.Set("b", x); s.Remove("a"); s.Set("c", x); s.Remove("b") },
		"much that is short": func(s *session.Session) {
			s.Set("raw", json.RawMessage(`"`+strings.Repeat(`\u0041`, 9)+`"`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newRig(t, func(o *session.Options) { o.MaxBytes = 200 }).visitor()
			v.with(func(s *session.Session) { s.Set("a", x); s.Set("in.a", x); s.Flash("f", x[:30]) })
			resp := v.with(func(s *session.Session) {
				if do(s); s.Err() != nil {
					t.Errorf("Err = %v", s.Err())
				}
			})
			if resp.StatusCode != http.StatusOK {
				t.Errorf("status %d, want 200", resp.StatusCode)
			}
		})
	}
}

func TestMaxBytesCountsThePathsOfFlashData(t *testing.T) {
	store := memstore.New(memstore.Options{})
	r := newRigOn(t, store, func(o *session.Options) { o.MaxBytes = 4096 })
	v := r.visitor()
	deep := strings.Repeat("p.", 300)
	resp := v.with(func(s *session.Session) {
		for i := range 100 {
			s.Flash(fmt.Sprintf("%s%d", deep, i), 1)
		}
	})
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("100 flash paths of 600 bytes under MaxBytes 4096: status %d, want 500", resp.StatusCode)
	}
	v = r.visitor()
	resp = v.with(func(s *session.Session) {
		for i := range 3 {
			s.Flash(fmt.Sprintf("%s%d", deep, i), 1)
		}
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("3 flash paths of 600 bytes: status %d, want 200", resp.StatusCode)
	}
}

// A limit that was lowered keeps nobody from taking something out of a session, nor from using it.
func TestASessionAboveALoweredLimitCanShrinkAndMove(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) {
		s.Login("ada")
		s.Set("a", strings.Repeat("x", 300))
		s.Set("roles", []string{"admin", "user"})
	})
	small := v.on(r.node(func(o *session.Options) { o.MaxBytes = 100 }).Manager)
	for _, row := range []struct {
		name   string
		do     func(*session.Session)
		status int
	}{
		{"take a role", func(s *session.Session) { s.Set("roles", []string{"user"}) }, 200},
		{"a new id", (*session.Session).Regenerate, 200},
		{"grow", func(s *session.Session) { s.Set("b", strings.Repeat("y", 60)) }, 500},
		{"exchange", func(s *session.Session) {
			s.Set("b", strings.Repeat("y", 60))
			s.Set("a", strings.Repeat("x", 200))
		}, 200},
	} {
		if resp := small.with(row.do); resp.StatusCode != row.status {
			t.Errorf("%s: status %d, want %d", row.name, resp.StatusCode, row.status)
		}
	}
	v.with(func(s *session.Session) {
		wantGet(t, s, "roles", []any{"user"})
		wantGet(t, s, "b", strings.Repeat("y", 60))
	})
}
