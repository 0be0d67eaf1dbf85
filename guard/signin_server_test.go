package guard_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// A browser keeps the cookie of its device over a real connection, of either version of HTTP, and over a logout.
func TestABrowserIsKnownAgain(t *testing.T) {
	r := newRig(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 2}})
	d := doorOf(r)
	mux := http.NewServeMux()
	mux.Handle("POST /login", d.form)
	mux.Handle("POST /logout", r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Logout()
	}))
	serve(t, r.m.Middleware(r.CSRF(mux)), func(t *testing.T, client *http.Client, address string) {
		post := func(client *http.Client, path, user, password string) int {
			t.Helper()
			body := url.Values{"user": {user}, "password": {password}}.Encode()
			return postTo(t, client, address+path, "application/x-www-form-urlencoded", strings.NewReader(body))
		}
		r.clock.advance(100 * 24 * time.Hour)
		browser := *client
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser.Jar = jar
		if got := post(&browser, "/login", "ann", right); got != 200 {
			t.Fatalf("the sign-in is answered %d", got)
		}
		post(&browser, "/logout", "", "")
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { post(client, "/login", "ann", "wrong") })
		}
		all.Wait()
		stranger, owner := post(client, "/login", "ann", right), post(&browser, "/login", "ann", right)
		if stranger != 429 || owner != 200 {
			t.Errorf("a stranger gets %d and the owner %d, want 429 and 200", stranger, owner)
		}
	})
}

// postTo sends a body as a page of the site does, and returns the status of the answer.
func postTo(t *testing.T, client *http.Client, address, kind string, body io.Reader) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", address, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// The session of a sign-in may fail to be stored. The password was right all the same, and counts for no failure.
func TestASignInThatCannotBeStoredIsNoFailure(t *testing.T) {
	store := &failingOnce{Store: memstore.New(memstore.Options{})}
	r := newRigOn(t, store, &clock{t: time.Unix(1e9, 0)}, guard.Options{SignIn: guard.SignInLimits{Attempts: 1}})
	d := doorOf(r)
	v := d.from(1)
	store.err = errors.New("disk full")
	for range 3 {
		if w := v.try(d, "ann", right); w.Code != 503 {
			t.Errorf("status %d, want 503", w.Code)
		}
	}
	store.err = nil
	if w := v.try(d, "ann", right); w.Code != 200 {
		t.Errorf("status %d afterwards, want 200", w.Code)
	}
}

// failingOnce is a store that keeps nothing while err is set.
type failingOnce struct {
	*memstore.Store
	err error
}

func (f *failingOnce) Save(ctx context.Context, rec *session.Record) error {
	if f.err != nil {
		return f.err
	}
	return f.Store.Save(ctx, rec)
}

// What stands between may read the form, or cut the body off.
func TestSignInWorksWithWhatStandsAround(t *testing.T) {
	d := newDoor(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 3}})
	inner := d.form
	parsed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		inner.ServeHTTP(w, r)
	})
	for name, form := range map[string]http.Handler{
		"a form that was parsed": parsed, "MaxBytesHandler": http.MaxBytesHandler(inner, 1<<10),
		"StripPrefix": http.StripPrefix("/log", inner), "a second SignIn": d.SignIn(byUser)(inner),
		"TimeoutHandler inside": d.SignIn(byUser)(http.TimeoutHandler(inner, time.Minute, "")),
	} {
		d.form = form
		user := "user of " + name
		if got := d.wrong(user, 0, 5); got == 0 || got > 3 {
			t.Errorf("%s: %d of 5 guesses passed, want no more than 3", name, got)
		}
		accounts[name] = true
		v := d.from(77)
		if w := v.try(d, name, right); w.Code != 200 || v.cookies[deviceCookie] == "" {
			t.Errorf("%s: a sign-in gets %d, and the device the cookie %q", name, w.Code, v.cookies[deviceCookie])
		}
		delete(accounts, name)
	}
	d.form = http.MaxBytesHandler(inner, 10)
	w := d.from(1).try(d, "ann", right)
	wantProblem(t, w, http.StatusRequestEntityTooLarge, guard.BadBody)
}

// A request that Options.Skip names has no session, so nobody signs in there, and every attempt is one that failed.
func TestASkippedRequestIsCountedAllTheSame(t *testing.T) {
	d := newDoor(t, guard.Options{}, func(o *session.Options) { o.Skip = func(*http.Request) bool { return true } })
	if got := d.wrong("ann", 0, 20); got != 10 {
		t.Errorf("%d of 20 guesses passed, want 10", got)
	}
}
