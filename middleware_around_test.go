package session_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// neighbour is what stands around a handler, inside or outside Middleware.
type neighbour struct {
	wrap    func(http.Handler) http.Handler
	buffers bool // what the handler writes is sent when it returns, so that nothing of it is late
}

func neighbours() map[string]neighbour {
	return map[string]neighbour{
		"nobody": {wrap: func(h http.Handler) http.Handler { return h }},
		"TimeoutHandler": {func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "too slow") },
			true},
		"gzip":            {wrap: func(h http.Handler) http.Handler { return gzipped(h, false) }},
		"gzip at once":    {wrap: func(h http.Handler) http.Handler { return gzipped(h, true) }},
		"MaxBytesHandler": {wrap: func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1<<10) }},
		"recoverer":       {wrap: recoverer},
		"StripPrefix":     {wrap: func(h http.Handler) http.Handler { return http.StripPrefix("/app", h) }},
	}
}

// outcome is how the commit of a request ends, or that it did not come so far.
type outcome struct {
	fails  string // the call of the store
	late   bool
	status int
	ticket bool
}

var outcomes = map[string]outcome{
	"a commit that succeeds": {status: 200, ticket: true},
	"a commit that fails":    {fails: "save", status: 503},
	"a login that is late":   {late: true, status: 200},
	"a load that fails":      {fails: "load", status: 503},
}

const wholeBody = 100 << 10 // more than a server keeps back before it sends the headers

// application signs in and writes its page, or the other way round.
func application(late bool) func(http.ResponseWriter, *http.Request, *session.Session) {
	return func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		w.Header().Set("Content-Type", "text/x-page")
		w.Header().Set("Etag", `"page"`)
		if !late {
			s.Login("ada")
		}
		for range wholeBody / 1024 {
			if _, err := w.Write([]byte(strings.Repeat("a", 1024))); err != nil {
				return
			}
		}
		if late {
			s.Login("ada")
		}
	}
}

// rig is a site on which it ends so, and the ticket of the visitor, when there has to be one.
func (o outcome) rig(t *testing.T) (r *rig, ticket string) {
	t.Helper()
	r = newRig(t)
	if o.fails == "load" {
		v := r.visitor()
		v.with(put("x", 1))
		ticket = v.ticket()
	}
	r.failing(o.fails)
	return r, ticket
}

// check reads the response to its end. There is one, it is whole, and it says what became of the commit.
func (o outcome) check(t *testing.T, r *rig, resp *http.Response) {
	t.Helper()
	body := readPlain(t, resp)
	if resp.StatusCode != o.status {
		t.Errorf("status %d, want %d: %.80q", resp.StatusCode, o.status, body)
	}
	if o.fails != "" {
		if body != "Please try again in a moment.\n" || resp.Header.Get("Etag") != "" ||
			resp.Header.Get("Retry-After") == "" {
			t.Errorf("the answer is %.80q with %v", body, resp.Header)
		}
	} else if body != strings.Repeat("a", wholeBody) || resp.Header.Get("Content-Type") != "text/x-page" {
		t.Errorf("%d bytes of the page, Content-Type %q", len(body), resp.Header.Get("Content-Type"))
	}
	names := map[string]int{}
	for _, c := range resp.Cookies() {
		names[c.Name]++
		if c.Name == newName && !r.opens(c.Value) {
			t.Error("the ticket opens nothing")
		}
	}
	if want := map[bool]int{true: 1}[o.ticket]; names[newName] != want ||
		names["theme"] != map[bool]int{false: 1}[o.fails == "load"] {
		t.Errorf("cookies %v", names)
	}
	if want := map[bool]int{true: 1}[o.late]; r.ev.count(session.EventLate) != want {
		t.Errorf("%d late events, want %d", r.ev.count(session.EventLate), want)
	}
}

// Whatever stands around the application or around us, there is one response, with the ticket or with the answer to a
// commit that failed.
func TestThereIsOneResponseWhateverStandsAround(t *testing.T) {
	for name, n := range neighbours() {
		for _, inside := range []bool{true, false} {
			for what, o := range outcomes {
				for _, http2 := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s inside %v, %s, HTTP/2 %v", name, inside, what, http2), func(t *testing.T) {
						t.Parallel()
						r, ticket := o.rig(t)
						app := r.HandlerFunc(application(o.late))
						h := n.wrap(app)
						if inside {
							h = r.Middleware(h)
						}
						want := o
						if o.late && inside && n.buffers {
							want = outcomes["a commit that succeeds"]
						}
						want.check(t, r, around(t, h, ticket, http2, false))
					})
				}
			}
		}
	}
}

// A proxy inside gets its page from another server, a proxy outside its page from us.
func TestThereIsOneResponseThroughAProxy(t *testing.T) {
	for _, inside := range []bool{true, false} {
		for what, o := range outcomes {
			for _, http2 := range []bool{false, true} {
				t.Run(fmt.Sprintf("inside %v, %s, HTTP/2 %v", inside, what, http2), func(t *testing.T) {
					t.Parallel()
					r, ticket := o.rig(t)
					h := r.HandlerFunc(application(o.late))
					if inside {
						h = r.HandlerFunc(throughProxy(t, o.late))
					}
					o.check(t, r, around(t, h, ticket, http2, !inside))
				})
			}
		}
	}
}

// throughProxy is the application with its page on another server, which knows nothing of sessions.
func throughProxy(t *testing.T, late bool) handler {
	other := newRig(t)
	page := httptest.NewTLSServer(other.HandlerFunc(func(w http.ResponseWriter, r *http.Request, _ *session.Session) {
		s, err := other.Open(r.Context(), "")
		if err != nil {
			t.Error(err)
			return
		}
		application(false)(w, r, s)
	}))
	t.Cleanup(page.Close)
	proxy := proxyTo(t, page)
	return func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if !late {
			s.Login("ada")
		}
		proxy.ServeHTTP(w, r)
		if late {
			s.Login("ada")
		}
	}
}

// A recoverer outside hides the panic from the client alone; nothing is stored. Inside it answers, and that answer is
// committed.
func TestARecovererBelongsOutside(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, inside := range []bool{false, true} {
			r := newRig(t)
			app := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Login("ada")
				panic("boom")
			})
			h := recoverer(app)
			if inside {
				h = r.Middleware(h)
			}
			resp := around(t, h, "", http2, false)
			if body := readPlain(t, resp); resp.StatusCode != 500 || body != "recovered\n" {
				t.Errorf("inside %v: status %d, body %q", inside, resp.StatusCode, body)
			}
			if stored := r.store.count("save") == 1; stored != inside || (len(resp.Cookies()) == 1) != inside {
				t.Errorf("inside %v: stored %v, %d cookies", inside, stored, len(resp.Cookies()))
			}
		}
	}
}

// A handler that TimeoutHandler gave up goes on. When it stands inside, its answer had the last word: what comes later
// is refused.
func TestAHandlerThatTimedOutIsToldThatItIsLate(t *testing.T) {
	r := newRig(t)
	began, answered, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	h := r.Middleware(http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		defer close(over)
		s, err := session.Load(req.Context())
		if err != nil {
			t.Error(err)
			return
		}
		close(began)
		<-answered
		wantText(t, s.TryLogin("ada"), "too late")
	}), time.Nanosecond, "too slow"))
	resp := around(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h.ServeHTTP(w, req)
		close(answered)
		<-over
	}), "", false, false)
	<-began
	if body := readPlain(t, resp); resp.StatusCode != 503 || body != "too slow" || len(resp.Cookies()) != 0 {
		t.Errorf("status %d, body %q, %d cookies", resp.StatusCode, body, len(resp.Cookies()))
	}
	if r.ev.count(session.EventLate) != 1 || r.store.count("save") != 0 {
		t.Errorf("%d late events, %d saves", r.ev.count(session.EventLate), r.store.count("save"))
	}
}

// A body above the limit of MaxBytesHandler is the handler's to answer, and its answer is committed as any other.
func TestABodyThatIsTooLargeIsTheHandlersToAnswer(t *testing.T) {
	r := newRig(t)
	h := http.MaxBytesHandler(r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		if _, err := io.ReadAll(req.Body); err != nil {
			s.Flash("note", "too large")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}), 10)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "https://app.example.com/", strings.NewReader(strings.Repeat("a", 20))))
	if w.Code != 413 || len(w.Result().Cookies()) != 1 {
		t.Errorf("status %d, %d cookies", w.Code, len(w.Result().Cookies()))
	}
}
