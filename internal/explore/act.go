package explore

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// act is a deed that is done in a scene, and what became of it.
type act struct {
	deed
	index int
	sc    *scene
	node

	s *session.Session // while a handler runs
	w http.ResponseWriter
	r *http.Request

	cookie  string   // what the client sends
	status  int      // the first that is not 200
	tickets []string // that the client was given
	deleted bool     // it was told to delete the last one
	as      string   // the device whose session the handler had
	user    string   // who was signed in there
	pending []string // what was written, and is not stored yet
	certain []string // what is stored: somebody was told so
	ended   bool     // somebody was told that the session is ended, whatever the status
	passed  bool     // a limit, a confirmation or a challenge let it through
	device  string   // the cookie of the device
	told    bool     // which the response has changed
	form    string   // the token that was shown
	failed  bool     // the handler gave up
	err     error
}

func (a *act) String() string { return fmt.Sprintf("%d %s: %d", a.index, a.name, a.status) }

// done reports whether the client was told that all was done.
func (a *act) done() bool { return a.status == http.StatusOK && !a.failed && a.err == nil }

// faulted reports whether the store failed it.
func (a *act) faulted() bool { return a.sc.x.Faulted(a.index) }

// run does the deed.
func (a *act) run(ctx context.Context) {
	switch {
	case a.direct != nil:
		if a.err = a.direct(ctx, a); a.err != nil {
			a.status = http.StatusInternalServerError
		}
	case a.page != nil:
		a.page(ctx, a)
	case a.stream:
		a.goOn(ctx)
	default:
		a.serve(a.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			a.s, a.w, a.r = s, w, r
			a.note(s)
			a.do(a)
		}), a.request(ctx, "GET", ""))
	}
	if a.done() {
		a.stored()
	}
}

func (a *act) request(ctx context.Context, method, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "https://app.example.com/", strings.NewReader(body))
	r.Header.Set("Accept", "application/json")
	if a.cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: a.cookie})
	}
	return r
}

const cookieName = "__Host-session"

// serve answers a request, and keeps what a browser would.
func (a *act) serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if a.status == http.StatusOK {
		a.status = w.Code
	}
	for _, c := range w.Result().Cookies() {
		if c.Name != cookieName {
			continue
		}
		a.cookie, a.deleted = c.Value, c.MaxAge < 0
		if !a.deleted {
			a.tickets = append(a.tickets, c.Value)
		}
	}
	return w
}

func (a *act) get(ctx context.Context, h http.Handler) *httptest.ResponseRecorder {
	return a.serve(h, a.request(ctx, "GET", ""))
}

// noting is a handler that notes whose session it has.
func (a *act) noting(fn func(*http.Request)) http.Handler {
	return a.m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
		a.note(s)
		fn(r)
	})
}

func (a *act) note(s *session.Session) { a.as, a.user = owner.Or(s, ""), s.User() }

func (a *act) fail(err error) {
	a.failed = true
	a.m.Fail(a.w, a.r, err)
}

// stored notes that what was written is there.
func (a *act) stored() { a.certain, a.pending = append(a.certain, a.pending...), nil }

// What acts write: their own value, a step of one counter, an element of one list.
const (
	aStep     = "a step"
	anElement = "an element"
)

func (a *act) set(name string) {
	key := fmt.Sprint(name, a.index)
	a.s.Set(key, a.index)
	a.pending = append(a.pending, key)
}

func (a *act) update(s *session.Session) {
	counter.Update(s, func(n int) int { return n + 1 })
	a.pending = append(a.pending, aStep)
}

func (a *act) append() {
	a.s.Append("list", a.index)
	a.pending = append(a.pending, anElement)
}

// node is what answers requests: mostly a manager for each of them, so that none waits for another in a queue that the
// explorer does not see.
type node struct {
	m     *session.Manager
	g     *guard.Guard
	store Store
}
