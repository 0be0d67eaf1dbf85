package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// serve starts a server for each version of HTTP.
func serve(t *testing.T, h http.Handler, do func(t *testing.T, client *http.Client, address string)) {
	t.Helper()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(h)
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			do(t, server.Client(), server.URL)
		})
	}
}

// askServer sends a request, and returns the answer and its body.
func askServer(t *testing.T, client *http.Client, method, address string, header ...string) (*http.Response, string) {
	t.Helper()
	req := request(method, "/", header...)
	req.RequestURI = ""
	var err error
	if req.URL, err = req.URL.Parse(address); err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// The status of a refusal is the same for every method and version of HTTP, and HEAD has no body.
func TestARefusalIsOneCleanAnswerOfEveryMethod(t *testing.T) {
	r := newRig(t, guard.Options{})
	limit := guard.Limit{Requests: 1, Per: time.Hour, Users: memstore.New(memstore.Options{MaxSessions: 1})}
	for name, tt := range map[string]struct {
		h      http.Handler
		status int
	}{
		"User": {r.User(inside), 401}, "Fresh": {r.Fresh(time.Hour)(inside), 401}, "Role": {r.Role("a")(inside), 401},
		"a wrong limit": {r.Rate(limit)(inside), 500}, "within another": {r.m.Middleware(r.User(r.CSRF(inside))), 401},
	} {
		serve(t, tt.h, func(t *testing.T, client *http.Client, address string) {
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "BREW"} {
				resp, body := askServer(t, client, method, address+"/x", asJSON)
				kept := resp.Header.Get("Cache-Control") != "no-store"
				if resp.StatusCode != tt.status || (body == "") != (method == "HEAD") || kept {
					t.Errorf("%s: %s is answered %d, %v, %q", name, method, resp.StatusCode, resp.Header, body)
				}
			}
		})
	}
}

func recovers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() { _ = recover() }()
		next.ServeHTTP(w, req)
	})
}

// A handler that gives up has been counted, and whoever recovers from that, inside or outside, gets no second count and
// no other request in.
func TestAHandlerThatPanicsHasBeenCounted(t *testing.T) {
	for _, why := range []any{http.ErrAbortHandler, "own"} {
		r := newRig(t, guard.Options{})
		var runs atomic.Int64
		panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs.Add(1); panic(why) })
		byUser := guard.Limit{Requests: 2, Per: time.Hour, Users: r.store}
		for name, h := range map[string]http.Handler{
			"outside":          recovers(r.Rate(guard.Limit{Requests: 2, Per: time.Hour})(panics)),
			"inside":           r.Rate(guard.Limit{Requests: 2, Per: time.Hour})(recovers(panics)),
			"outside, a user":  recovers(r.User(r.Rate(byUser)(panics))),
			"around all of it": recovers(r.m.Middleware(r.CSRF(r.User(r.Rate(byUser)(panics))))),
		} {
			v := r.signIn("user " + name)
			runs.Store(0)
			for range 4 {
				v.get(h, "/", asJSON)
			}
			if runs.Load() != 2 || v.user() != "user "+name {
				t.Errorf("%v, recovered %s: the handler ran %d times for %q, want 2", why, name, runs.Load(), v.user())
			}
		}
	}
}

// The count goes along when the session gets a new id, also when many requests come with the old one.
func TestTheLimitIsExactBesideARenewal(t *testing.T) {
	gate := newGate()
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	renew := func(o *session.Options) { o.RenewEvery = time.Minute }
	r := newRigOn(t, gate, c, guard.Options{}, renew)
	other := newRigOn(t, gate, c, guard.Options{}, renew)
	bySession := guard.Limit{Name: "session", Requests: 7, Per: 24 * time.Hour}
	byUser := guard.Limit{Name: "user", Requests: 7, Per: 24 * time.Hour, Users: gate}
	for round := range 5 {
		for _, l := range []guard.Limit{bySession, byUser} {
			v := r.signIn(l.Name + time.Duration(round).String())
			before := v.id()
			c.advance(2 * time.Minute)
			gate.arm(40, true)
			if got := flood(40, []http.Handler{r.Rate(l)(inside), other.Rate(l)(inside)}, v); got != 7 {
				t.Errorf("by %s: %d of 40 requests passed beside a renewal, want 7", l.Name, got)
			}
			if v.id() == before || v.user() == "" {
				t.Errorf("by %s: the session was not renewed", l.Name)
			}
		}
	}
}
