package integration_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// strangersFlood lets an address send 40 requests at once to both nodes, of which 7 may pass, and others one each.
func strangersFlood(t *testing.T, nodes [2]*session.Manager, stores [2]session.Store) {
	var handlers [2]http.Handler
	for i, m := range nodes {
		l := guard.Limit{By: guard.Address, Requests: 7, Per: time.Hour, Store: stores[i]}
		handlers[i] = guardOf(t, m).Rate(l)(inside)
	}
	var passed, others, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 80 {
		count, address := &passed, "192.0.2.1:4711"
		if i >= 40 {
			count, address = &others, fmt.Sprintf("198.51.100.%d:4711", i)
		}
		all.Go(func() {
			switch askFrom(handlers[i%2], "GET", address, "") {
			case http.StatusOK:
				count.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if passed.Load() != 7 || refused.Load() != 33 || others.Load() != 40 {
		t.Errorf("%d of 40 requests of one address passed, %d were refused, and %d of 40 others passed, want 7, 33 "+
			"and 40", passed.Load(), refused.Load(), others.Load())
	}
}

// guesses has 40 addresses guess one password at once on both nodes, and then its owner come to each.
func guesses(t *testing.T, nodes [2]*session.Manager, stores [2]session.Store) {
	var tries atomic.Int32
	var handlers [2]http.Handler
	for i, m := range nodes {
		g, err := guard.New(m, guard.Options{SignIn: guard.SignInLimits{Store: stores[i]}})
		if err != nil {
			t.Fatal(err)
		}
		handlers[i] = g.SignIn(func(r *http.Request) string { return r.PostFormValue("user") })(m.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request, s *session.Session) {
				tries.Add(1)
				if r.PostFormValue("password") == "right" {
					s.Login(r.PostFormValue("user"))
				}
			}))
	}
	owner := newBrowser(t)
	signIn := func(node int) *http.Response {
		return owner.post(handlers[node], "user=cleo&password=right")
	}
	if resp := signIn(0); resp.StatusCode != http.StatusOK {
		t.Fatalf("the owner signs in: %d", resp.StatusCode)
	}
	tries.Store(0)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			askFrom(handlers[i%2], "POST", fmt.Sprintf("203.0.113.%d:4711", i), "user=cleo&password=wrong")
		})
	}
	all.Wait()
	if tries.Load() != 10 {
		t.Errorf("%d of 40 guesses were tried, want 10", tries.Load())
	}
	for node := range handlers {
		if resp := signIn(node); resp.StatusCode != http.StatusOK {
			t.Errorf("the owner, on a known device at node %d: %d, want 200", node, resp.StatusCode)
		}
	}
}

// askFrom sends a request of a stranger at an address, and says how it was answered.
func askFrom(h http.Handler, method, address, form string) int {
	r := httptest.NewRequest(method, "https://app.example.com/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = address
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// post sends a form, and keeps the cookies of the answer.
func (b *browser) post(h http.Handler, form string) *http.Response {
	r := httptest.NewRequest("POST", "https://app.example.com/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range b.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	b.jar.SetCookies(r.URL, resp.Cookies())
	return resp
}
