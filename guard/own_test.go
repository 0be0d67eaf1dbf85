package guard_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// untyped is everything that a handler can do to a path that a visitor chose.
var untyped = map[string]func(s *session.Session, path string, value any){
	"Get":     func(s *session.Session, path string, _ any) { s.Get(path) },
	"Set":     func(s *session.Session, path string, value any) { s.Set(path, value) },
	"Append":  func(s *session.Session, path string, value any) { s.Append(path, value) },
	"Pop":     func(s *session.Session, path string, _ any) { s.Pop(path) },
	"Remove":  func(s *session.Session, path string, _ any) { s.Remove("a", path) },
	"Flash":   func(s *session.Session, path string, value any) { s.Flash(path, value) },
	"Now":     func(s *session.Session, path string, value any) { s.Now(path, value) },
	"Reflash": func(s *session.Session, path string, value any) { s.Now(path, value); s.Reflash(path) },
	"Clear":   func(s *session.Session, _ string, _ any) { s.Clear() },
}

// spellings are the ways to name a key, escaped or not, and what lies below it.
func spellings(key string) []string {
	return []string{key, session.Path(key), session.Path(key, "0"), key + ".0", `\` + key, session.Path(key) + `.\.`}
}

// A form names a field of the session, as in an application that keeps lists for its visitors.
func TestNoFormGivesAVisitorARole(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada", roles("reader"))
	admins, readers := r.Role("admin")(inside), r.Role("reader")(inside)
	keep := r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Append(session.Path(req.PostFormValue("list")), req.PostFormValue("item"))
		admins.ServeHTTP(w, req)
	})
	hostile := url.Values{"list": {"coatcheck:roles"}, "item": {"admin"}}
	wantShut(t, v.post(keep, "/", hostile).Code, "Append in the same request")
	for name, do := range untyped {
		for _, path := range spellings("coatcheck:roles") {
			for _, value := range []any{"admin", []string{"admin"}, map[string]any{"0": "admin"}} {
				same := r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
					do(s, path, value)
					admins.ServeHTTP(w, req)
				})
				wantShut(t, v.get(same, "/", asJSON).Code, name+" of "+path)
				for range 2 { // what was flashed is gone after the second
					wantShut(t, v.get(admins, "/", asJSON).Code, name+" of "+path+" before")
					wantInside(t, v.get(readers, "/", asJSON))
				}
			}
		}
	}
}

func wantShut(t *testing.T, status int, what string) {
	t.Helper()
	if status == http.StatusOK {
		t.Errorf("%s opens what is for admins", what)
	}
}

func TestNoFormResetsALimitOrBreaksIt(t *testing.T) {
	for name, do := range untyped {
		for _, path := range spellings("coatcheck:rate:default") {
			for _, value := range []any{"x", 0, int64(-1 << 62)} {
				r := newRig(t, guard.Options{})
				limit := r.Rate(guard.Limit{Requests: 2, Per: time.Hour})
				h := limit(r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
					do(s, path, value)
					_ = s.Reload(t.Context()) // a handler that forgives what was refused
				}))
				v, passed := r.signIn("ada"), 0
				for range 5 {
					switch w := v.get(h, "/", asJSON); w.Code {
					case http.StatusOK:
						passed++
					case http.StatusTooManyRequests:
					default:
						t.Errorf("%s of %s: status %d", name, path, w.Code)
					}
				}
				if passed != 2 {
					t.Errorf("%s of %s = %v: %d of 5 passed a limit of 2", name, path, value, passed)
				}
				other := r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
					do(s, path, value)
				})
				for range 3 {
					v.get(other, "/", asJSON)
				}
				wantProblem(t, v.get(limit(inside), "/", asJSON), 429, guard.TooMany)
			}
		}
	}
}

func TestNoFormReadsOrReplacesTheKeyOfTheTokens(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	v := r.signIn("ada")
	token := v.token(h)
	for _, path := range spellings("coatcheck:csrf") {
		v.with(func(s *session.Session) {
			if got := s.Get(path); got != nil || s.Has(path) || s.GetOr(path, nil) != nil {
				t.Errorf("%s is there to be read", path)
			}
		})
		for name, do := range untyped {
			v.get(r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				do(s, path, "known")
				if got := s.Pop(path); got != nil && got != "known" {
					t.Errorf("Pop after %s of %s gives the key away", name, path)
				}
			}), "/")
			v.with(func(*session.Session) {})
			if w := v.post(h, "/form", field(token)); w.Code != 200 {
				t.Errorf("after %s of %s the token holds no more: status %d", name, path, w.Code)
			}
		}
	}
}

// The names of limits are the program's, whatever is in them, and none of them meets another.
func TestEveryNameOfALimitHasACountOfItsOwn(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada", roles("reader"))
	for _, name := range []string{"a", "a.b", "a..b", `a\.b`, `a\`, ".", `\`, "a:b", "\xff", "é"} {
		h := r.Rate(guard.Limit{Name: name, Requests: 1, Per: time.Hour})(inside)
		wantInside(t, v.get(h, "/"))
		wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
	}
	wantInside(t, v.get(r.Role("reader")(inside), "/"))
}
