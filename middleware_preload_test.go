package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
)

// oneLine is what people write: one line for the session.
var oneLine = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	s := session.From(r.Context())
	visits := session.Key[int]("visits")
	visits.Update(s, func(n int) int { return n + 1 })
	fmt.Fprint(w, visits.Or(s, 0), s.Err())
})

func TestFromIsTheSessionOfTheRequest(t *testing.T) {
	for name, wrap := range map[string]func(*session.Manager) func(http.Handler) http.Handler{
		"Preload":    func(m *session.Manager) func(http.Handler) http.Handler { return m.Preload },
		"Middleware": func(m *session.Manager) func(http.Handler) http.Handler { return m.Middleware },
	} {
		t.Run(name, func(t *testing.T) {
			h := wrap(newRig(t).Manager)(oneLine)
			overBoth(t, h, "", func(t *testing.T, resp *http.Response, body string) {
				if len(resp.Cookies()) != 1 || body != "1 <nil>" || resp.Header.Get("Vary") != "Cookie" {
					t.Fatalf("cookies %v, body %q, Vary %q", resp.Cookies(), body, resp.Header.Get("Vary"))
				}
				overBoth(t, h, resp.Cookies()[0].Value, func(t *testing.T, again *http.Response, body string) {
					if !strings.HasSuffix(body, "<nil>") || strings.HasPrefix(body, "1") || len(again.Cookies()) != 0 {
						t.Errorf("on the second visit: cookies %v, body %q", again.Cookies(), body)
					}
				})
			})
		})
	}
}

func TestPreloadCostsOneReadAndNothingForAStranger(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	idle := r.Preload(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r.store.reset()
	resp := r.visitor().through(idle, "GET")
	if n := r.store.total(); n != 0 || len(resp.Cookies()) != 0 {
		t.Errorf("a stranger costs %d calls and gets the cookies %v", n, resp.Cookies())
	}
	if v.through(idle, "GET"); r.store.total() != 1 {
		t.Errorf("a read costs the calls %v, want one", r.store.calls)
	}
}

func TestPreloadAnswersAnOutage(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	r.store.hook(down)
	h := r.Preload(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler runs") }))
	overBoth(t, h, v.ticket(), func(t *testing.T, resp *http.Response, body string) {
		if checkClean503(t, resp, body); strings.Contains(body, "10.0.0.7") {
			t.Errorf("the client is told %q", body)
		}
	})
}

// Below Middleware alone the handler is given a session all the same. Whatever it does with that one, the response is
// the outage.
func TestAnOutageBelowMiddlewareIsNoEmptySession(t *testing.T) {
	for name, do := range map[string]func(*session.Session) error{
		"nothing":        func(*session.Session) error { return nil },
		"set":            func(s *session.Session) error { s.Set("x", 1); return nil },
		"login":          func(s *session.Session) error { s.Login("bob"); s.Login("eve"); return nil },
		"logout":         func(s *session.Session) error { s.Logout(); s.Set("x", 1); return nil },
		"save":           func(s *session.Session) error { return s.Save(context.Background()) },
		"reload":         func(s *session.Session) error { return s.Reload(context.Background()) },
		"set and reload": func(s *session.Session) error { s.Set("x", 1); return s.Reload(context.Background()) },
		"atomic": func(s *session.Session) error {
			return s.Atomic(context.Background(), func(*session.Session) error { return nil })
		},
		"try": func(s *session.Session) error { return s.TryLogin("bob") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, _ := r.signIn("ada")
			h := r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				r.store.hook(down)
				s := session.From(req.Context())
				r.store.hook(nil) // it was a short one
				if err := do(s); err != nil && !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("the error is %v", err)
				}
				if !errors.Is(s.Err(), session.ErrUnavailable) || s.User() == "ada" {
					t.Errorf("Err = %v, user %q", s.Err(), s.User())
				}
				if _, err := session.Load(req.Context()); !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("Load = %v afterwards", err)
				}
				if session.From(req.Context()) != s {
					t.Error("From gives another session")
				}
				w.Header().Set("Content-Length", "5")
				io.WriteString(w, "hello")
			}))
			overBoth(t, h, v.ticket(), func(t *testing.T, resp *http.Response, body string) {
				checkClean503(t, resp, body)
			})
			still := sees(v, func(s *session.Session) bool { return s.User() == "ada" })
			if !still || r.listedOf("ada", "bob", "eve") != 1 {
				t.Error("the outage has changed something")
			}
		})
	}
}

func TestFromOutsideOfAMiddlewareSaysSo(t *testing.T) {
	var log logged
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	s := session.From(t.Context())
	s.Set("x", 1)
	s.Login("ada", session.Remember(0))
	s.Login("bob")
	s.Logout()
	s.Invalidate()
	s.Regenerate()
	s.Flash("x", 2)
	if s.Get("x") != int64(2) || s.ID() != "" || s.Token() != "" || !s.IsNew() || s.Expired() || !s.SeenAt().IsZero() {
		t.Errorf("the session is %v with %v", s, s.All())
	}
	select {
	case <-s.Done():
		t.Error("the session has ended, which never began")
	default:
	}
	for name, err := range map[string]error{
		"Err": s.Err(), "Save": s.Save(t.Context()), "Reload": s.Reload(t.Context()), "TryLogin": s.TryLogin("ada"),
		"Atomic": s.Atomic(t.Context(), func(*session.Session) error { return nil }), "Err again": s.Err(),
	} {
		if !errors.Is(err, session.ErrNoMiddleware) {
			t.Errorf("%s = %v, want ErrNoMiddleware", name, err)
		}
	}
	if !log.has("ERROR", "Manager.Preload") {
		t.Errorf("the log is %s", log.text())
	}
}

func TestAFailedSessionHasItsErrorAndStoresNothing(t *testing.T) {
	r, failed := newRig(t), fmt.Errorf("adapter: %w", session.ErrUnavailable)
	s := r.FailedSession(failed)
	s.Login("ada")
	s.Set("x", 1)
	for name, err := range map[string]error{
		"Err": s.Err(), "Save": s.Save(t.Context()), "Reload": s.Reload(t.Context()), "TryLogin": s.TryLogin("ada"),
		"Atomic": s.Atomic(t.Context(), func(*session.Session) error { return nil }),
	} {
		if !errors.Is(err, failed) {
			t.Errorf("%s = %v, want %v", name, err, failed)
		}
	}
	if r.store.total() != 0 || s.Token() != "" {
		t.Errorf("%d calls, and a ticket %v", r.store.total(), s.Token() != "")
	}
}

func TestASkippedRequestHasAnEmptySession(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Skip = func(*http.Request) bool { return true } })
	h := r.Preload(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		session.From(req.Context()).Set("x", 1)
		s := session.From(req.Context())
		fmt.Fprint(w, s.Get("x"), s.Save(req.Context()), s.ID())
		if _, err := session.Load(req.Context()); err != session.ErrNoMiddleware {
			t.Errorf("Load = %v", err)
		}
	}))
	overBoth(t, h, "", func(t *testing.T, resp *http.Response, body string) {
		if body != "1 <nil>" || len(resp.Cookies()) != 0 || r.store.total() != 0 {
			t.Errorf("body %q, cookies %v, %d calls", body, resp.Cookies(), r.store.total())
		}
	})
}

func TestFromIsTheInnermostSession(t *testing.T) {
	outer := newRig(t)
	inner := outer.node(func(o *session.Options) { o.Cookie.Name = "__Host-other" })
	resp := outer.visitor().through(outer.Preload(inner.Preload(http.HandlerFunc(
		func(_ http.ResponseWriter, req *http.Request) {
			s, err := inner.Load(req.Context())
			if from := session.From(req.Context()); from != s || err != nil {
				t.Errorf("From = %v, want the session of the inner manager; %v", from, err)
			}
			session.From(req.Context()).Set("x", 1)
		}))), "GET")
	if c := resp.Cookies(); len(c) != 1 || c[0].Name != "__Host-other" {
		t.Errorf("the cookies are %v, want that of the inner manager", c)
	}
}

func TestGoroutinesOfAHandlerHaveOneSessionFrom(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	v.through(r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				session.Key[int]("n").Update(session.From(req.Context()), func(n int) int { return n + 1 })
			})
		}
		wg.Wait()
	})), "GET")
	if !sees(v, func(s *session.Session) bool { return s.Get("n") == int64(8) }) {
		t.Error("a goroutine had another session")
	}
}

// A stream, and a connection that is taken over, have their ticket in the first bytes.
func TestAStreamAndAWebSocketHaveTheirTicket(t *testing.T) {
	r := newRig(t)
	stream := r.Preload(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		session.From(req.Context()).Set("x", 1)
		for range 3 {
			fmt.Fprint(w, "data: x\n\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}
	}))
	overBoth(t, stream, "", func(t *testing.T, resp *http.Response, body string) {
		if c := resp.Cookies(); len(c) != 1 || r.sees(c[0].Value) != int64(1) || strings.Count(body, "data") != 3 {
			t.Errorf("cookies %v, body %q", c, body)
		}
	})
	socket := httptest.NewServer(r.Preload(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		session.From(req.Context()).Set("x", 1)
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		line, _ := rw.ReadString('\n')
		rw.WriteString(line)
		rw.Flush()
	})))
	t.Cleanup(socket.Close)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", socket.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := socket.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body := resp.Body.(io.ReadWriteCloser)
	defer body.Close()
	fmt.Fprintln(body, "hello")
	line, err := bufio.NewReader(body).ReadString('\n')
	if c := resp.Cookies(); len(c) != 1 || r.sees(c[0].Value) != int64(1) || line != "hello\n" || err != nil {
		t.Errorf("%s, cookies %v, %q, %v", resp.Status, c, line, err)
	}
}
