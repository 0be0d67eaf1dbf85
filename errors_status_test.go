package session_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
)

// errDriver is what a driver says of a server that is down: nobody outside need know where that is.
var errDriver = errors.New("dial tcp 10.0.0.7:5432: connection refused")

// returning serves a handler that returns an error, as frameworks do that show the client what the error says.
func returning(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		status := http.StatusInternalServerError
		var has interface{ StatusCode() int }
		if errors.As(err, &has) {
			status = has.StatusCode()
		}
		http.Error(w, err.Error(), status)
	})
}

// overBoth asks a handler once over HTTP/1.1 and once over HTTP/2.
func overBoth(t *testing.T, h http.Handler, ticket string, check func(t *testing.T, resp *http.Response, body string)) {
	t.Helper()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			resp := around(t, h, ticket, http2, false)
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			check(t, resp, string(body))
		})
	}
}

func down(call, _ string) error { return fmt.Errorf("%s: %w", call, errDriver) }

func TestAnOutageHasItsStatusWhereErrorsAreReturned(t *testing.T) {
	for name, load := range map[string]func(r *rig, req *http.Request, ticket string) error{
		"Load": func(_ *rig, req *http.Request, _ string) error {
			_, err := session.Load(req.Context())
			return fmt.Errorf("cart: %w", err)
		},
		"Manager.Load": func(r *rig, req *http.Request, _ string) error {
			_, err := r.Manager.Load(req.Context())
			return err
		},
		"Open": func(r *rig, req *http.Request, ticket string) error {
			_, err := r.Open(req.Context(), ticket)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, _ := r.signIn("ada")
			ticket := v.ticket()
			r.store.hook(down)
			h := r.Middleware(returning(func(_ http.ResponseWriter, req *http.Request) error {
				return load(r, req, ticket)
			}))
			overBoth(t, h, ticket, func(t *testing.T, resp *http.Response, body string) {
				shown := strings.Contains(body, "10.0.0.7")
				if resp.StatusCode != 503 || shown || !strings.Contains(body, "unavailable") {
					t.Errorf("answered %d %q, want 503 and nothing of the driver", resp.StatusCode, body)
				}
			})
		})
	}
}

func TestWhatSaveReturnsSaysItsStatus(t *testing.T) {
	for name, row := range map[string]struct {
		do     func(r *rig, s *session.Session) error
		is     error
		status int
		text   string
	}{
		"unavailable": {func(r *rig, s *session.Session) error {
			r.store.hook(down)
			s.Set("x", 2)
			return s.Save(r.t.Context())
		}, errDriver, 503, "session: the store is unavailable"},
		"unavailable in Reload": {func(r *rig, s *session.Session) error {
			r.store.hook(down)
			return s.Reload(r.t.Context())
		}, errDriver, 503, "session: the store is unavailable"},
		"unavailable in Atomic": {func(r *rig, s *session.Session) error {
			r.store.hook(down)
			return s.Atomic(r.t.Context(), func(*session.Session) error { return nil })
		}, errDriver, 503, "session: the store is unavailable"},
		"ended": {func(r *rig, s *session.Session) error {
			if _, err := r.Revoke(r.t.Context(), s.ID()); err != nil {
				return err
			}
			s.Set("x", 2)
			return s.Save(r.t.Context())
		}, session.ErrEnded, 409, "session: the session has ended"},
		"conflict": {func(r *rig, s *session.Session) error {
			r.store.hook(func(call, id string) error {
				if call == "save" {
					return fmt.Errorf("row of 10.0.0.7: %w", session.ErrConflict)
				}
				return nil
			})
			s.Set("x", 2)
			return s.Save(r.t.Context())
		}, session.ErrConflict, 503, "session: version conflict"},
		"too many": {func(r *rig, s *session.Session) error {
			s.Login("bob")
			return s.Save(r.t.Context())
		}, session.ErrTooMany, 403, "session: the user has too many sessions"},
	} {
		synctest.Test(t, func(t *testing.T) { // a conflict is tried for long
			r := newRig(t, func(o *session.Options) { o.MaxPerUser, o.Overflow = 1, session.RefuseNew })
			r.signIn("bob")
			v, _ := r.signIn("ada")
			s, err := r.Open(t.Context(), v.ticket())
			if err != nil {
				t.Fatal(err)
			}
			err = row.do(r, s)
			var has interface{ StatusCode() int }
			if !errors.As(err, &has) || has.StatusCode() != row.status {
				t.Fatalf("%s: %v has another status than %d", name, err, row.status)
			}
			if !errors.Is(err, row.is) {
				t.Errorf("%s: %v does not wrap %v", name, err, row.is)
			}
			if !strings.Contains(err.Error(), row.text) || strings.Contains(err.Error(), "10.0.0.7") {
				t.Errorf("%s: the text is %q, want %q", name, err, row.text)
			}
		})
	}
}

// What goes wrong is for the log, and for whoever unwraps it.
func TestTheLogHasTheCauseThatTheTextHasNot(t *testing.T) {
	for name, fn := range map[string]func(r *rig, w http.ResponseWriter, req *http.Request){
		"load": func(r *rig, w http.ResponseWriter, req *http.Request) {
			r.HandlerFunc(func(http.ResponseWriter, *http.Request, *session.Session) {}).ServeHTTP(w, req)
		},
		"wrapped": func(r *rig, w http.ResponseWriter, req *http.Request) {
			_, err := session.Load(req.Context())
			r.Fail(w, req, fmt.Errorf("cart: %w", err))
		},
		"save": func(r *rig, _ http.ResponseWriter, req *http.Request) {
			r.store.hook(nil)
			s, err := session.Load(req.Context())
			if err != nil {
				r.t.Error(err)
				return
			}
			r.store.hook(down)
			s.Set("x", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log logged
			var given error
			r := newRig(t, log.to, func(o *session.Options) {
				o.OnError = func(_ http.ResponseWriter, _ *http.Request, err error) { given = err }
			})
			v, _ := r.signIn("ada")
			ticket := v.ticket()
			r.store.hook(down)
			resp := around(t, r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				fn(r, w, req)
			})), ticket, false, false)
			if !log.has("ERROR", "request failed", "10.0.0.7") || resp.StatusCode != 503 {
				t.Errorf("answered %d, and the log is\n%s", resp.StatusCode, log.text())
			}
			if given == nil || strings.Contains(given.Error(), "10.0.0.7") || !errors.Is(given, errDriver) {
				t.Errorf("OnError was given %v", given)
			}
		})
	}
}

// A log of the application's own is told as much.
func TestALogValueHasTheCause(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	ticket := v.ticket()
	r.store.hook(down)
	_, err := r.Open(t.Context(), ticket)
	var text strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Error("own", "err", err)
	if !strings.Contains(text.String(), "10.0.0.7") {
		t.Errorf("the log is %s", text.String())
	}
}

// The application's own error comes back as it is.
func TestAtomicReturnsTheErrorOfItsFunction(t *testing.T) {
	r := newRig(t)
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	own := fmt.Errorf("charge: %w", session.ErrUnavailable)
	if err := s.Atomic(t.Context(), func(*session.Session) error { return own }); err != own {
		t.Errorf("Atomic = %v, want the function's own error", err)
	}
	if _, err := session.Load(t.Context()); err != session.ErrNoMiddleware {
		t.Errorf("Load = %v, want ErrNoMiddleware", err)
	}
}
