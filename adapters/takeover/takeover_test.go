package takeover_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
)

// eachOldSite runs a test for each old library.
func eachOldSite(t *testing.T, fn func(t *testing.T, old oldSite)) {
	for name, make := range oldSites {
		t.Run(name, func(t *testing.T) { fn(t, make(t)) })
	}
}

func TestManyClientsMoveAtTheSameTimeWithOneSessionEach(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 2, takeover.Options{}, func(o *session.Options) { o.MaxPerUser = 1 })
		var clients sync.WaitGroup
		for i := range 50 {
			user := fmt.Sprintf("user%d", i)
			cookie := old.signIn(user)
			for n := range 8 {
				clients.Go(func() {
					body, set := s.ask(n, "/write", cookie)
					if body != whole(user) || set[ours] == nil || set["old"] == nil || set["old"].MaxAge != -1 {
						t.Errorf("%s: %q with the cookies %v", user, body, set)
					}
				})
			}
		}
		clients.Wait()
		for i := range 50 {
			if n := s.sessionsOf(fmt.Sprintf("user%d", i)); n != 1 {
				t.Errorf("user%d has %d sessions, want 1", i, n)
			}
		}
		if n := old.left(); n != 0 {
			t.Errorf("the old library still has %d sessions", n)
		}
	})
}

func TestRequestsAtTheSameTimeGetOneTicket(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 2, takeover.Options{})
		cookie := old.signIn("ada")
		tickets := make(chan string, 16)
		var requests sync.WaitGroup
		for n := range 16 {
			requests.Go(func() {
				if _, set := s.ask(n, "/", cookie); set[ours] != nil {
					tickets <- set[ours].Value
				}
			})
		}
		requests.Wait()
		close(tickets)
		first, n := <-tickets, 1
		for ticket := range tickets {
			if n++; ticket != first {
				t.Error("two requests got different tickets")
			}
		}
		if n != 16 {
			t.Errorf("%d of 16 requests got a ticket", n)
		}
	})
}

func TestWhoHasMovedDoesNotAskTheOldLibraryAgain(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 1, takeover.Options{})
		cookie := old.signIn("ada")
		_, set := s.ask(0, "/", cookie)
		old.finds.Store(0)
		old.down.Store(true)
		if body, set := s.ask(0, "/", cookie, set[ours]); body != whole("ada") || len(set) != 0 ||
			old.finds.Load() != 0 {
			t.Errorf("%q with the cookies %v, and the old library was asked %d times", body, set, old.finds.Load())
		}
	})
}

func TestAStrangerCostsNothing(t *testing.T) {
	old := oldSCS(t)
	s := open(t, old, 1, takeover.Options{})
	if body, set := s.ask(0, "/"); body != nobody || len(set) != 0 || old.finds.Load() != 0 {
		t.Errorf("%q with the cookies %v", body, set)
	}
	lazy := httptest.NewServer(s.takeover.Middleware(s.sessions.Middleware(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) {}))))
	defer lazy.Close()
	s.nodes = append(s.nodes[:0], lazy)
	if _, set := s.ask(0, "/", old.signIn("ada")); len(set) != 0 || old.finds.Load() != 0 {
		t.Errorf("a request that loads no session sets %v, and asks %d times", set, old.finds.Load())
	}
}

func TestALogoutIsFinalForTheOldCookieToo(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 2, takeover.Options{})
		cookie := old.signIn("ada")
		_, set := s.ask(0, "/", cookie)
		s.ask(0, "/logout", set[ours])
		for _, later := range []time.Duration{0, time.Minute, 2 * time.Hour} { // within the grace, after it, and swept
			s.ahead.Store(int64(later))
			if _, err := s.sessions.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			if body, set := s.ask(1, "/", cookie); body != nobody || len(set) != 0 {
				t.Errorf("after %v the old cookie shows %q with the cookies %v", later, body, set)
			}
		}
	})
}

func TestARevocationBeforeTheMoveWins(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 2, takeover.Options{})
		cookie := old.signIn("ada")
		s.ahead.Store(int64(time.Minute))
		if _, err := s.sessions.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if body, set := s.ask(0, "/", cookie); body != nobody || set[ours] != nil || s.sessionsOf("ada") != 0 {
				t.Errorf("%q with the cookies %v, and %d sessions", body, set, s.sessionsOf("ada"))
			}
		}
		if n := old.left(); n != 0 {
			t.Errorf("the old library still has %d sessions", n)
		}
		if body, _ := s.ask(1, "/", old.signIn("bob")); body != whole("bob") {
			t.Errorf("somebody else is %q", body)
		}
	})
}

// scs knows when the sign-in was, so that one after the revocation counts.
func TestASignInAfterTheRevocationMoves(t *testing.T) {
	old := oldSCS(t)
	s := open(t, old, 1, takeover.Options{})
	s.ahead.Store(-int64(time.Minute))
	if _, err := s.sessions.RevokeUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	s.ahead.Store(int64(time.Second))
	if body, _ := s.ask(0, "/", old.signIn("ada")); body != whole("ada") {
		t.Errorf("the session shows %q", body)
	}
}

func TestARevocationInBetweenWins(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		var s *newSite
		revoked := false
		s = open(t, old, 1, takeover.Options{Change: func(*takeover.Old) { // the old session is loaded by now
			revoked = true
			if _, err := s.sessions.RevokeUser(context.Background(), "ada"); err != nil {
				t.Error(err)
			}
		}})
		cookie := old.signIn("ada")
		for range 2 {
			if body, _ := s.ask(0, "/", cookie); body != nobody || !revoked || s.sessionsOf("ada") != 0 {
				t.Errorf("%q, and %d sessions; the revocation ran: %v", body, s.sessionsOf("ada"), revoked)
			}
		}
	})
}

func TestARevocationAfterTheMoveWins(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 2, takeover.Options{})
		cookie := old.signIn("ada")
		s.ask(0, "/", cookie)
		infos, err := s.sessions.Sessions(t.Context(), "ada")
		if err != nil || len(infos) != 1 || infos[0].UserAgent == "" || !infos[0].RemoteIP.IsValid() {
			t.Fatalf("Sessions = %+v, %v", infos, err)
		}
		if n, err := s.sessions.Revoke(t.Context(), infos[0].ID); n != 1 || err != nil {
			t.Errorf("Revoke = %d, %v", n, err)
		}
		if body, set := s.ask(1, "/", cookie); body != nobody || len(set) != 0 {
			t.Errorf("after Revoke the old cookie shows %q with the cookies %v", body, set)
		}
	})
}

func TestAnOldSignInIsNotFresh(t *testing.T) {
	for name, open1 := range oldSites {
		t.Run(name, func(t *testing.T) {
			old := open1(t)
			s := open(t, old, 1, takeover.Options{})
			s.ahead.Store(int64(time.Hour))
			g, err := guard.New(s.sessions, guard.Options{})
			if err != nil {
				t.Fatal(err)
			}
			fresh := httptest.NewServer(s.takeover.Middleware(s.sessions.Middleware(
				g.Fresh(10 * time.Minute)(http.HandlerFunc(page)))))
			defer fresh.Close()
			cookie := old.signIn("ada")
			_, set := s.ask(0, "/", cookie)
			s.nodes[0], fresh = fresh, s.nodes[0]
			defer fresh.Close()
			if body, _ := s.ask(0, "/", set[ours]); strings.Contains(body, "ada") {
				t.Errorf("a sign-in of an hour ago passes for fresh: %q", body)
			}
		})
	}
}

func TestAnOutageOfTheOldLibraryIsAnOutage(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 1, takeover.Options{})
		cookie := old.signIn("ada")
		old.down.Store(true)
		if body, set := s.ask(0, "/", cookie); body != "Please try again in a moment." || len(set) != 0 {
			t.Errorf("%q with the cookies %v, want a 503 that touches no cookie", body, set)
		}
		old.down.Store(false)
		if body, _ := s.ask(0, "/", cookie); body != whole("ada") {
			t.Errorf("after the outage: %q", body)
		}
	})
}

// What was begun before a crash or an outage goes on with the next request.
func TestATakeOverThatBrokeOffGoesOn(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		// before it is ended
		s := open(t, old, 2, takeover.Options{Change: func(*takeover.Old) { old.down.Store(true) }})
		cookie := old.signIn("ada")
		if body, set := s.ask(0, "/", cookie); !strings.HasPrefix(body, "Please try again") || len(set) != 0 {
			t.Errorf("%q with the cookies %v, want a 503", body, set)
		}
		old.down.Store(false)
		if body, set := s.ask(1, "/", cookie); body != whole("ada") || set[ours] == nil || old.left() != 0 {
			t.Errorf("%q with the cookies %v, and %d old sessions are left", body, set, old.left())
		}
		if n := s.sessionsOf("ada"); n != 1 {
			t.Errorf("ada has %d sessions, want 1", n)
		}
	})
}

func TestHostileCookiesMoveNothing(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 1, takeover.Options{})
		genuine := old.signIn("ada")
		for _, value := range []string{"x", genuine.Value + "x", genuine.Value[:len(genuine.Value)-2],
			"../../etc/passwd",
			strings.Repeat("A", 5000), "MTIzNA=="} {
			body, set := s.ask(0, "/", &http.Cookie{Name: "old", Value: value})
			if body != nobody || len(set) != 0 {
				t.Errorf("the cookie %.20q shows %q with the cookies %v", value, body, set)
			}
		}
		planted := old.signIn("eve")
		if body, set := s.ask(0, "/", planted, genuine); body != nobody || len(set) != 0 {
			t.Errorf("of two cookies one is believed: %q with the cookies %v", body, set)
		}
		n := 0
		for range s.sessions.All(t.Context()) {
			n++
		}
		if n != 0 {
			t.Errorf("%d sessions are stored", n)
		}
	})
}

func TestWhoIsNotSignedInHereIsMovedAndKeepsWhatTheyHave(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 1, takeover.Options{})
		_, set := s.ask(0, "/write")
		if body, set := s.ask(0, "/", old.signIn("ada"), set[ours]); body != whole("ada") || set[ours] == nil {
			t.Errorf("%q with the cookies %v", body, set)
		} else if m, err := s.sessions.Open(t.Context(), set[ours].Value); err != nil || m.Get("written") != true {
			t.Errorf("what the visitor had is %v, %v", m.All(), err)
		}
	})
}

func TestTheCartOfAStrangerMoves(t *testing.T) {
	eachOldSite(t, func(t *testing.T, old oldSite) {
		s := open(t, old, 1, takeover.Options{})
		body, set := s.ask(0, "/", old.signIn(""))
		if body != whole("") || set[ours] == nil {
			t.Errorf("%q with the cookies %v", body, set)
		}
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	old := oldSCS(t)
	manager := func(store session.Store, cookie string) *session.Manager {
		m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
			Cookie: session.Cookie{Name: cookie}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() }) // which has no error
		return m
	}
	mem := memstore.New(memstore.Options{})
	carried, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opts := takeover.Options{User: userOf}
	for name, tt := range map[string]struct {
		m      *session.Manager
		source takeover.Source
		opts   takeover.Options
		want   string
	}{
		"no manager":  {nil, old.source, opts, "manager"},
		"no source":   {manager(mem, ""), nil, opts, "source"},
		"no user":     {manager(mem, ""), old.source, takeover.Options{}, "Options.User"},
		"negative":    {manager(mem, ""), old.source, takeover.Options{User: userOf, Lasts: -1}, "a second or more"},
		"same cookie": {manager(mem, "old"), old.source, opts, "Cookie.Name"},
		"cookiestore": {manager(carried, ""), old.source, opts, "not remember"},
		"nullstore":   {manager(nullstore.New(), ""), old.source, opts, "not remember"},
		"bounded": {manager(memstore.New(memstore.Options{MaxSessions: 9}), ""), old.source, opts,
			"not remember"},
		"nothing's wrong": {manager(mem, ""), old.source, opts, ""},
	} {
		_, err := takeover.New(tt.m, tt.source, tt.opts)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New = %v, want an error with %q", name, err, tt.want)
		}
		if strings.Contains(tt.want, "remember") && !errors.Is(err, session.ErrNotSupported) {
			t.Errorf("%s: %v does not wrap ErrNotSupported", name, err)
		}
	}
}

func TestAnEntryPrintsNoToken(t *testing.T) {
	var log strings.Builder
	entry := takeover.Entry{Token: "canary"}
	slog.New(slog.NewTextHandler(&log, nil)).Info("find", "entry", entry)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, format+format, entry, &entry)
	}
	if strings.Contains(log.String(), "canary") {
		t.Errorf("it prints as %s", log.String())
	}
}
