package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// failures are the ways in which a commit fails, and what a stranger is told of each.
var failures = map[string]struct {
	status int
	retry  bool
	is     error
	save   error                            // of the store
	do     func(r *rig, s *session.Session) // in the handler
}{
	"the store is down": {503, true, session.ErrUnavailable, errDown, set},
	"a conflict":        {503, true, session.ErrConflict, session.ErrConflict, set},
	"the session was ended": {409, false, session.ErrEnded, nil,
		func(r *rig, s *session.Session) { r.Revoke(context.Background(), s.ID()); s.Set("y", 1) }},
	"too many sessions":  {403, false, session.ErrTooMany, session.ErrTooMany, set},
	"a value is refused": {500, false, nil, nil, func(_ *rig, s *session.Session) { s.Set("y", make(chan int)) }},
	"the session is too big": {500, false, session.ErrTooLarge, nil,
		func(_ *rig, s *session.Session) { s.Set("y", strings.Repeat("x", 2<<20)) }},
}

func set(_ *rig, s *session.Session) { s.Set("y", "a-secret-value") }

// failing sends one request whose commit fails, after the handler has prepared the response.
func failing(t *testing.T, name, method string, onError func(http.ResponseWriter, *http.Request, error),
	prepare func(http.ResponseWriter), change ...func(*session.Options)) (reply, *rig) {
	t.Helper()
	f := failures[name]
	r := newRig(t, append(change, func(o *session.Options) { o.OnError = onError })...)
	v := r.visitor()
	if name != "a conflict" { // which is an answer to the first save only, or would be tried again
		v.with(func(s *session.Session) { s.Set("x", 1) })
	}
	srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		f.do(r, s)
		r.store.hook(func(call, _ string) error {
			if call == "save" {
				return f.save
			}
			return nil
		})
		prepare(w)
	}))
	return ask(t, srv, method, v.ticket()), r
}

// An alarm on errors in the log rings for the program and its store, not for what a visitor did.
func TestTheLogTellsFailuresFromEndedSessions(t *testing.T) {
	for name, f := range failures {
		var log bytes.Buffer
		quiet := func(http.ResponseWriter) {}
		failing(t, name, "GET", nil, quiet, func(o *session.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		if failed := strings.Contains(log.String(), "level=ERROR"); failed != (f.status >= 500) {
			t.Errorf("%s: an answer of %d is logged as\n%s", name, f.status, log.String())
		}
	}
}

func TestWhatGoesWellIsNoWarning(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(o *session.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
		o.RenewEvery = time.Hour
	})
	v, _ := r.signIn("ada")
	for range 3 { // a touch, and then a renewal
		r.clock.advance(40 * time.Minute)
		v.isUser("ada")
	}
	if log.Len() != 0 {
		t.Errorf("the log says\n%s", &log)
	}
}

func TestATouchThatFailsIsAWarning(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, func(o *session.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	v, _ := r.signIn("ada")
	r.store.hook(func(call, _ string) error {
		if call == "touch" {
			return errDown
		}
		return nil
	})
	r.clock.advance(time.Hour)
	v.isUser("ada")
	if got := log.String(); strings.Count(got, "level=WARN") != 1 {
		t.Errorf("the log says\n%s\nwant one warning", got)
	}
}

// A commit that fails gives one response; nothing of the handler's is in it.
func TestAFailedCommitGivesOneResponse(t *testing.T) {
	bodies := map[string]func(http.ResponseWriter){
		"Write":  func(w http.ResponseWriter) { w.Write([]byte("the handler's page")) },
		"Header": func(w http.ResponseWriter) { w.WriteHeader(201); io.WriteString(w, "the handler's page") },
		"Flush": func(w http.ResponseWriter) {
			w.(http.Flusher).Flush()
			w.WriteHeader(201)
			io.WriteString(w, "the handler's page")
		},
		"Copy":   func(w http.ResponseWriter) { io.Copy(w, strings.NewReader("the handler's page")) },
		"return": func(http.ResponseWriter) {},
	}
	for name, f := range failures {
		for how, write := range bodies {
			t.Run(name+"/"+how, func(t *testing.T) {
				got, _ := failing(t, name, "GET", nil, func(w http.ResponseWriter) {
					h := w.Header()
					for _, field := range handlersOwn {
						h.Set(field, "17")
					}
					h.Set("Cache-Control", "public, max-age=600")
					h.Set("X-Request-Id", "kept")
					write(w)
					w.Header().Set("Etag", "17")
					w.Write([]byte("more of the handler's page"))
				})
				if got.StatusCode != f.status || (got.Header.Get("Retry-After") != "") != f.retry {
					t.Errorf("got %d %v, want %d", got.StatusCode, got.Header, f.status)
				}
				if strings.Contains(got.body, "handler") || strings.Contains(got.body, "secret") || got.body == "" {
					t.Errorf("body %q", got.body)
				}
				for _, field := range handlersOwn {
					if got.Header.Get(field) == "17" {
						t.Errorf("%s of the handler is in the answer", field)
					}
				}
				if cc := got.Header.Get("Cache-Control"); cc != "no-store" || got.Header.Get("X-Request-Id") != "kept" {
					t.Errorf("Cache-Control %q, X-Request-Id %q", cc, got.Header.Get("X-Request-Id"))
				}
				if got.Header["Set-Cookie"] != nil {
					t.Error("the answer sets or deletes a cookie")
				}
			})
		}
	}
}

var handlersOwn = []string{
	"Content-Length", "Content-Encoding", "Content-Disposition", "Content-Range", "Etag", "Last-Modified", "Expires",
	"Cdn-Cache-Control", "Surrogate-Control", "Edge-Control", "Location", "Refresh", "Accept-Ranges", "Clear-Site-Data",
}

// What the failure's own answer looks like is up to OnError. It gets the error, and whatever it does, one response goes
// out.
func TestOnErrorGivesTheResponse(t *testing.T) {
	answers := map[string]struct {
		answer func(http.ResponseWriter)
		status int
		body   string
	}{
		"writes": {func(w http.ResponseWriter) { http.Error(w, "mine", http.StatusTeapot) }, 418,
			"mine\n"},
		"writes without status": {func(w http.ResponseWriter) { io.WriteString(w, "mine") }, 200, "mine"},
		"only a status":         {func(w http.ResponseWriter) { w.WriteHeader(418) }, 418, ""},
		"copies":                {func(w http.ResponseWriter) { io.Copy(w, strings.NewReader("mine")) }, 200, "mine"},
		"flushes":               {func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }, 200, ""},
		"flushes by assertion": {func(w http.ResponseWriter) {
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
				io.WriteString(w, "mine")
				return
			}
			t.Error("OnError's writer is no Flusher")
		}, 200, "mine"},
		"hints only": {func(w http.ResponseWriter) { w.WriteHeader(103) }, 503, "Please try again in a moment.\n"},
		"nothing":    {func(http.ResponseWriter) {}, 503, "Please try again in a moment.\n"},
	}
	for name, a := range answers {
		t.Run(name, func(t *testing.T) {
			calls := 0
			onError := func(w http.ResponseWriter, _ *http.Request, err error) {
				if calls++; !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, errDown) {
					t.Errorf("err = %v, want ErrUnavailable with its cause", err)
				}
				a.answer(w)
			}
			got, _ := failing(t, "the store is down", "GET", onError, func(w http.ResponseWriter) {
				for range 3 {
					if _, err := w.Write([]byte("handler")); !errors.Is(err, session.ErrUnavailable) {
						t.Errorf("the handler's Write = %v, want ErrUnavailable", err)
					}
				}
			})
			if got.StatusCode != a.status || got.body != a.body || calls != 1 {
				t.Errorf("got %d %q after %d calls, want %d %q after one", got.StatusCode, got.body, calls, a.status,
					a.body)
			}
		})
	}
}

// OnError may take over the connection; nothing is written after it.
func TestOnErrorMayHijack(t *testing.T) {
	onError := func(w http.ResponseWriter, _ *http.Request, _ error) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmine")
		conn.Close()
	}
	var log strings.Builder
	r := newRig(t, func(o *session.Options) { o.OnError = onError })
	r.store.hook(func(string, string) error { return errDown })
	h := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("x", 1) })
	done := make(chan struct{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer close(done)
		h.ServeHTTP(w, req)
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(&log, nil), slog.LevelError)
	srv.Start()
	got := ask(t, srv, "GET", "")
	srv.Close()
	<-done
	if got.StatusCode != 418 || got.body != "mine" || log.Len() > 0 {
		t.Errorf("got %d %q, and the server says %q", got.StatusCode, got.body, log.String())
	}
}

// HEAD, 204 and 304 have no body, and fail like the others.
func TestResponsesWithoutABodyFailToo(t *testing.T) {
	for name, status := range map[string]int{"GET": 204, "PUT": 304, "HEAD": 200} {
		got, _ := failing(t, "the store is down", name, nil, func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(status)
		})
		if got.StatusCode != 503 || got.Header.Get("Retry-After") == "" || (got.body == "") != (name == "HEAD") {
			t.Errorf("%s %d: got %d %q", name, status, got.StatusCode, got.body)
		}
	}
}

// A session that cannot be loaded is answered without the handler, which Middleware leaves to it.
func TestAFailedLoad(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.store.hook(func(string, string) error { return errDown })
	resp := v.do(func(http.ResponseWriter, *http.Request, *session.Session) { t.Error("the handler runs") })
	if resp.StatusCode != 503 || resp.Header["Set-Cookie"] != nil || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	resp = v.through(r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if s, err := r.Load(req.Context()); s != nil || !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Load = %v, %v, want ErrUnavailable", s, err)
		}
		fmt.Fprint(w, "a page without a session")
	})), "GET")
	if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
}

// What has no session says so, and nothing is loaded, stored or set.
func TestARequestWithoutAManager(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Skip = session.SkipHeader("x-no-session", "1") })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.store.reset()
	for _, load := range []func(context.Context) (*session.Session, error){session.Load, r.Load} {
		if s, err := load(context.Background()); s != nil || !errors.Is(err, session.ErrNoMiddleware) {
			t.Errorf("Load without a middleware = %v, %v", s, err)
		}
	}
	skipped := func(h http.Handler) *http.Response {
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("X-No-Session", "1")
		req.Header.Set("Cookie", "__Host-Http-session="+v.ticket())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Result()
	}
	first := skipped(r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if _, err := r.Load(req.Context()); !errors.Is(err, session.ErrNoMiddleware) {
			t.Errorf("Load of a skipped request = %v", err)
		}
	})))
	second := skipped(r.HandlerFunc(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
		if !s.IsNew() || s.Has("x") {
			t.Error("the skipped request has the session")
		}
		s.Login("ada")
		s.Set("x", 2)
		if err := s.Save(req.Context()); err != nil || s.Token() != "" || s.ID() != "" {
			t.Errorf("Save = %v, id %q", err, s.ID())
		}
	}))
	for _, resp := range []*http.Response{first, second} {
		if len(resp.Header) != 0 || r.store.total() != 0 {
			t.Errorf("%d calls, headers %v", r.store.total(), resp.Header)
		}
	}
}
