package cookiestore_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// upkeeps are what a session may be due for though nobody asked for it.
var upkeeps = map[string]func(r *rig, v *visitor){
	"flash data": func(_ *rig, v *visitor) { v.with(func(s *session.Session) { s.Flash("f", 1) }) },
	"another secret": func(r *rig, _ *visitor) {
		if err := r.SetSecrets([]session.Secret{session.NewSecret(), testSecret}); err != nil {
			r.t.Fatal(err)
		}
	},
}

// Whoever reads a session after the first byte of the response loses nothing, so the log has no error. The next request
// does what was due.
func TestALateReaderLosesNothing(t *testing.T) {
	for name, prepare := range upkeeps {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			r := newRig(t, listed(), func(o *session.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			v := r.visitor()
			v.with(set("x", 1))
			prepare(r, v)
			before := v.cookies()["__Host-Http-session"]
			v.late(func(s *session.Session) {
				if s.Get("x") != int64(1) {
					t.Errorf("x = %v", s.Get("x"))
				}
			})
			if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN") {
				t.Errorf("the log has %s", text)
			}
			v.with(read)
			if after := v.cookies()["__Host-Http-session"]; after == before {
				t.Error("the next request does not do it either")
			}
			v.with(func(s *session.Session) {
				if s.Has("f") || s.Get("x") != int64(1) {
					t.Errorf("data %v", s.All())
				}
			})
		})
	}
}

// late runs fn on a session that is loaded when the headers are out.
func (v *visitor) late(fn func(*session.Session)) {
	v.t.Helper()
	w := httptest.NewRecorder()
	v.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		s, err := v.m.Load(r.Context())
		if err != nil {
			v.t.Error(err)
			return
		}
		fn(s)
	})).ServeHTTP(w, v.request())
}

// A machine whose clock was ahead has served the session. The cookie that a reader sends would undo what another
// request has written meanwhile.
func TestAReaderOfASessionThatWasSeenInTheFutureSendsNoCookie(t *testing.T) {
	r := newRig(t, cookiestore.Options{}, func(o *session.Options) { o.IdleTimeout = 15 * time.Minute })
	v := r.visitor()
	r.advance(10 * time.Minute)
	v.with(set("x", 1))
	r.advance(-10 * time.Minute)
	before := v.cookies()["__Host-Http-session"]
	for minute := range 10 {
		v.with(read)
		if after := v.cookies()["__Host-Http-session"]; after != before {
			t.Fatalf("a cookie %d minutes after the clock was put right", minute)
		}
		r.advance(time.Minute)
	}
}

// A session that was stored packed, and does not fit any other way, is still read when compression is off.
func TestAReaderWhoseSessionDoesNotFitAnyMore(t *testing.T) {
	for name, prepare := range upkeeps {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, cookiestore.Options{})
			packing := r.manager(cookiestore.Options{Compress: true}, r.opts)
			v := r.visitor()
			text := strings.Repeat("tea ", 2000)
			v.on(packing).with(set("x", text))
			prepare(r, v.on(packing))
			for range 2 {
				resp := v.with(func(s *session.Session) {
					if s.Get("x") != text {
						t.Error("the session is empty")
					}
				})
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
			if resp := v.with(set("y", 1)); resp.StatusCode != http.StatusInternalServerError {
				t.Errorf("a change has status %d, want 500", resp.StatusCode)
			}
		})
	}
}
