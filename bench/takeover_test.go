//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sqlstore"
)

// The peers are here, with their servers, so that what moves away from them is tried here as well.
func TestSessionsMoveFromThePeersOnTheirServers(t *testing.T) {
	at, err := start()
	if err != nil {
		t.Fatal(err)
	}
	redis, postgres := ourRedis(redisstore.Options{}), ourDatabase(sqlstore.PostgreSQL)
	for _, move := range []struct {
		from, store string
		to          opener
	}{
		{"scs", inRedis, redis}, {"scs", inPostgreSQL, postgres}, {"scs", inPostgreSQL, redis},
		{"gorilla", inRedis, redis}, {"gorilla", inFiles, postgres}, {"gorilla", inCookie, postgres},
	} {
		t.Run(move.from+" on "+move.store, func(t *testing.T) {
			i := slices.IndexFunc(libraries(), func(l library) bool {
				return l.name == move.from && l.store == move.store && l.note == ""
			})
			old, end, err := libraries()[i].openIn(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			here := at
			if here.dir, err = os.MkdirTemp("", "takeover"); err != nil { // its name is that of the tables, too
				t.Fatal(err)
			}
			defer os.RemoveAll(here.dir)
			store, closers, err := move.to(t.Context(), here)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				for _, c := range closers {
					err = errors.Join(err, c.Close())
				}
				if err := errors.Join(err, end()); err != nil {
					t.Error(err)
				}
			}()
			moveAll(t, old, store)
		})
	}
}

// moveAll brings 50 clients over, who send 8 requests each at the same time to two nodes.
func moveAll(t *testing.T, old site, store session.Store) {
	t.Helper()
	source, signIn, left := oldSite(t, old)
	first, node := newNode(t, source, store)
	_, other := newNode(t, source, store)
	nodes := []http.Handler{node, other}
	var clients sync.WaitGroup
	cookies := map[string]*http.Cookie{}
	for i := range 50 {
		user := fmt.Sprintf("user%d", i)
		cookie := signIn(user)
		cookies[user] = cookie
		for n := range 8 {
			clients.Go(func() {
				if body, cookies := ask(nodes[n%2], cookie); body != user+" 7" || len(cookies) != 2 {
					t.Errorf("%s: %q with the cookies %v", user, body, cookies)
				}
			})
		}
		if i%10 == 9 {
			clients.Wait() // a connection for each request at once is more than the servers take
		}
	}
	clients.Wait()
	for user := range cookies {
		if infos, err := first.Sessions(t.Context(), user); err != nil || len(infos) != 1 {
			t.Errorf("%s has %d sessions, %v; want 1", user, len(infos), err)
		}
	}
	if n, err := left(); n != 0 || err != nil {
		t.Errorf("the old library still has %d sessions, %v", n, err)
	}
	if n, err := first.RevokeUser(t.Context(), "user0"); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	if body, set := ask(nodes[1], cookies["user0"]); body != " <nil>" || len(set) != 0 {
		t.Errorf("after the revocation: %q with the cookies %v", body, set)
	}
}

// oldSite says how to sign in with a peer, and what it has left.
func oldSite(t *testing.T, old site) (takeover.Source, func(user string) *http.Cookie, func() (int, error)) {
	t.Helper()
	signedIn := func(h http.Handler) *http.Cookie {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != 200 || len(w.Result().Cookies()) != 1 {
			t.Fatalf("the old library answers %d %s", w.Code, w.Body)
		}
		return w.Result().Cookies()[0]
	}
	if old, ok := old.(*scsSite); ok {
		return takeover.SCS(old.m), func(user string) *http.Cookie {
			return signedIn(old.m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				old.m.Put(r.Context(), "user", user)
				old.m.Put(r.Context(), "n", 7)
			})))
		}, old.count
	}
	g, ok := old.(*gorillaSite)
	if !ok {
		t.Fatalf("%T is no site to move away from", old)
	}
	left := g.count
	if left == nil { // they are with the clients
		left = func() (int, error) { return 0, nil }
	}
	return takeover.Gorilla(g.store, "old"), func(user string) *http.Cookie {
		return signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := g.store.Get(r, "old")
			s.Values["user"], s.Values["n"] = user, 7
			if err := errors.Join(err, sessions.Save(r, w)); err != nil {
				http.Error(w, err.Error(), 500)
			}
		}))
	}, left
}

// newNode is one that takes the old sessions over. All nodes have one secret.
func newNode(t *testing.T, source takeover.Source, store session.Store) (*session.Manager, http.Handler) {
	t.Helper()
	m, err := session.New(store, session.Options{Secrets: []session.Secret{movingSecret}, SweepEvery: session.Never,
		Cookie: session.Cookie{Name: "new", Insecure: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // which has no error
	take, err := takeover.New(m, source, takeover.Options{User: func(values map[string]any) string {
		user, _ := values["user"].(string)
		return user
	}})
	if err != nil {
		t.Fatal(err)
	}
	return m, take.Middleware(m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Fprintf(w, "%s %v", s.User(), s.Get("n"))
	}))
}

var movingSecret = session.NewSecret()

func ask(h http.Handler, cookie *http.Cookie) (string, []*http.Cookie) {
	r, w := httptest.NewRequestWithContext(context.Background(), "GET", "/", nil), httptest.NewRecorder()
	r.AddCookie(cookie)
	h.ServeHTTP(w, r)
	return w.Body.String(), w.Result().Cookies()
}
