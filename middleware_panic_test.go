package session_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/coatcheck/session"
)

// explosive is a value that no codec of the test survives, in either direction.
type explosive struct {
	Armed bool `json:"armed"`
}

// panickyCodec is JSON that panics while armed.
type panickyCodec struct{ armed *bool }

func (c panickyCodec) Marshal(v any) ([]byte, error) {
	if *c.armed {
		panic("codec: marshal")
	}
	return json.Marshal(v)
}

func (c panickyCodec) Unmarshal(data []byte, v any) error {
	if *c.armed {
		panic("codec: unmarshal")
	}
	return json.Unmarshal(data, v)
}

func recovered(fn func()) (v any) {
	defer func() { v = recover() }()
	fn()
	return nil
}

// usable calls what takes each of the locks; one that is left behind makes it wait for ever.
func usable(s *session.Session) {
	s.Set("after", 1)
	s.Get("after")
	_, _ = s.Err(), s.All()
	s.Regenerate()
	_ = s.Atomic(context.Background(), func(s *session.Session) error { s.Set("after", 2); return nil })
	_ = s.Reload(context.Background())
	_ = s.Save(context.Background())
	s.Logout()
}

// A recoverer's answer needs the session, and so do the goroutines beside the one that panicked.
func TestAPanicOfTheCodecLeavesNoLockBehind(t *testing.T) {
	k := session.Key[map[string]int]("m.typed")
	for name, do := range map[string]func(*session.Session){
		"Set":        func(s *session.Session) { s.Set("m.x", 1) },
		"Get":        func(s *session.Session) { s.Get("m.x") },
		"Has":        func(s *session.Session) { s.Has("m.x") },
		"All":        func(s *session.Session) { s.All() },
		"Append":     func(s *session.Session) { s.Append("l", 1) },
		"Pop":        func(s *session.Session) { s.Pop("m.x") },
		"Remove":     func(s *session.Session) { s.Remove("m.x") },
		"Clear":      func(s *session.Session) { s.Clear() },
		"Flash":      func(s *session.Session) { s.Flash("m.f", 1) },
		"Now":        func(s *session.Session) { s.Now("m.n", 1) },
		"Reflash":    func(s *session.Session) { s.Reflash() },
		"Key.Lookup": func(s *session.Session) { _, _ = k.Lookup(s) },
		"Key.Update": func(s *session.Session) { k.Update(s, func(m map[string]int) map[string]int { return m }) },
		"Key.Pop":    func(s *session.Session) { k.Pop(s) },
		"Save":       func(s *session.Session) { _ = s.Save(context.Background()) },
		"Reload":     func(s *session.Session) { _ = s.Reload(context.Background()) },
		"Atomic": func(s *session.Session) {
			_ = s.Atomic(context.Background(), func(*session.Session) error { return nil })
		},
		"Login":          func(s *session.Session) { s.Login("bob", session.Remember(1e12)) },
		"Logout":         (*session.Session).Logout,
		"Regenerate":     (*session.Session).Regenerate,
		"SetIdleTimeout": func(s *session.Session) { s.SetIdleTimeout(1e12) },
	} {
		t.Run(name, func(t *testing.T) {
			armed := false
			v := newRig(t, with(panickyCodec{&armed})).visitor()
			v.with(func(s *session.Session) {
				s.Login("ada")
				s.Set("m", map[string]any{"x": 1, "typed": map[string]int{"a": 1}})
				s.Set("l", []int{1})
				s.Flash("f.a", 1)
				s.Flash("f.b", 1)
			})
			v.with(func(s *session.Session) {
				s.Set("dirty.x", 1)
				s.Now("m.now", explosive{})
				armed = true
				recovered(func() { do(s) })
				armed = false
				usable(s)
			})
		})
	}
}

func TestAPanicOfTheStoreOrTheApplicationLeavesNoLockBehind(t *testing.T) {
	explode := func() { panic("application") }
	for name, row := range map[string]struct {
		call string // of the store, that panics
		do   func(*session.Session)
	}{
		"Save":   {"save", func(s *session.Session) { s.Set("x", 1); _ = s.Save(context.Background()) }},
		"move":   {"save", func(s *session.Session) { s.Regenerate(); _ = s.Save(context.Background()) }},
		"end":    {"save", func(s *session.Session) { s.Logout(); _ = s.Save(context.Background()) }},
		"Reload": {"load", func(s *session.Session) { _ = s.Reload(context.Background()) }},
		"Atomic": {"load", func(s *session.Session) {
			_ = s.Atomic(context.Background(), func(*session.Session) error { return nil })
		}},
		"fn": {"", func(s *session.Session) {
			_ = s.Atomic(context.Background(), func(*session.Session) error { explode(); return nil })
		}},
		"Update": {"", func(s *session.Session) { counter.Update(s, func(int) int { explode(); return 0 }) }},
		"option": {"", func(s *session.Session) { s.Login("ada", func(*session.Session) { explode() }) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("n", 1) })
			v.with(func(s *session.Session) {
				r.store.hook(func(call, _ string) error {
					if call == row.call {
						explode()
					}
					return nil
				})
				recovered(func() { row.do(s) })
				r.store.hook(nil)
				usable(s)
			})
		})
	}
}

func TestAPanicOfClientIPLeavesNoLockBehind(t *testing.T) {
	armed := true
	v := newRig(t, func(o *session.Options) {
		o.ClientIP = func(*http.Request) netip.Addr {
			if armed {
				panic("ClientIP")
			}
			return netip.Addr{}
		}
	}).visitor()
	v.with(func(s *session.Session) {
		if recovered(func() { s.Set("x", 1); _ = s.Save(t.Context()) }) == nil {
			t.Error("the panic is hidden")
		}
		armed = false
		usable(s)
	})
}

// The session is stored by then, and a Login has made the old ticket useless. Whoever recovers sends a response.
func TestAPanicOfOnEventKeepsNoTicketBack(t *testing.T) {
	for _, inside := range []bool{false, true} {
		for _, writes := range []bool{false, true} {
			armed := false
			r := newRig(t, func(o *session.Options) {
				o.OnEvent = func(context.Context, session.Event) {
					if armed {
						armed = false
						panic("OnEvent")
					}
				}
			})
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			before := v.ticket()
			h := recoverer(r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Login("ada")
				armed = true
				if writes {
					w.WriteHeader(http.StatusOK)
				}
			}))
			if inside {
				h = recoverer(r.Middleware(h)) // what panics at the handler's return is not inside
			}
			if resp := v.through(h, "GET"); resp.StatusCode != http.StatusInternalServerError {
				t.Errorf("inside %v, writes %v: status %d, want 500", inside, writes, resp.StatusCode)
			}
			if v.ticket() == before || !r.opens(v.ticket()) {
				t.Errorf("inside %v, writes %v: the client has not got the ticket of its login", inside, writes)
			}
		}
	}
}

// A Login that Save has stored has made the old ticket useless. Whoever recovers outside sends a response.
func TestAPanicOfTheHandlerKeepsNoTicketBackOfWhatItSaved(t *testing.T) {
	for name, row := range map[string]struct {
		do     func(*session.Session)
		signed bool
	}{
		"a login":  {func(s *session.Session) { s.Login("ada") }, true},
		"a logout": {func(s *session.Session) { s.Logout() }, false},
		"a new id": {func(s *session.Session) { s.Regenerate() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			before := v.ticket()
			resp := v.through(recoverer(r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				row.do(s)
				if err := s.Save(t.Context()); err != nil {
					t.Error(err)
				}
				s.Set("x", 2) // which nobody stores
				panic("of the handler")
			})), "GET")
			if resp.StatusCode != http.StatusInternalServerError || resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, %q", resp.StatusCode, resp.Header["Cache-Control"])
			}
			switch now := v.ticket(); {
			case row.signed && (now == before || !r.opens(now) || r.sees(now) != int64(1)):
				t.Error("the client has not got the ticket of what was saved, and that alone")
			case !row.signed && now != "":
				t.Error("the client keeps the ticket of a session that was logged out")
			}
		})
	}
}

// A recoverer inside answers after another commit, whose ticket comes in the place of that of an earlier Save.
func TestAPanicOfTheStoreInACommitLeavesOneTicket(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	h := recoverer(r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		s.Regenerate()
		r.store.hook(func(string, string) error { r.store.hook(nil); panic("a bug in the store") })
		w.WriteHeader(http.StatusOK)
	}))
	resp := v.through(r.Middleware(h), "GET")
	if n := len(resp.Cookies()); n != 1 || !r.opens(v.ticket()) {
		t.Errorf("%d cookies, want one, whose ticket opens the session", n)
	}
}

// A recoverer inside cannot answer, for the commit has failed. An empty page with the status 200 would tell of success.
func TestAPanicOfOnErrorIsNoSuccess(t *testing.T) {
	for name, row := range map[string]struct {
		writes string // of OnError, before it panics
		status int
		body   string
	}{
		"at once":             {"", http.StatusServiceUnavailable, "Please try again in a moment.\n"},
		"in its own response": {"half", http.StatusTeapot, "half"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) {
				o.OnError = func(w http.ResponseWriter, _ *http.Request, _ error) {
					if row.writes != "" {
						w.WriteHeader(http.StatusTeapot)
						_, _ = io.WriteString(w, row.writes)
					}
					panic("OnError")
				}
			})
			r.failing("save")
			h := r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", 1)
				_, _ = io.WriteString(w, "stored")
			})
			for _, http2 := range []bool{false, true} {
				resp := around(t, r.Middleware(recoverer(h)), "", http2, false)
				if body := readPlain(t, resp); resp.StatusCode != row.status || body != row.body {
					t.Errorf("HTTP/2 %v: %d %q, want %d %q", http2, resp.StatusCode, body, row.status, row.body)
				}
			}
		})
	}
}
