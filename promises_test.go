package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// gate holds requests at a point until they are let go.
type gate struct{ reached, open chan struct{} }

func newGate() gate { return gate{make(chan struct{}, 100), make(chan struct{})} }

func (g gate) wait() {
	g.reached <- struct{}{}
	<-g.open
}

// A request that loaded the session before it ended, and writes after, brings nothing back: neither the session
// nor its cookie.
func TestLogoutIsFinal(t *testing.T) {
	endings := map[string]func(r *rig, v *visitor, id string){
		"logout":     func(_ *rig, v *visitor, _ string) { v.with((*session.Session).Logout) },
		"invalidate": func(_ *rig, v *visitor, _ string) { v.with((*session.Session).Invalidate) },
		"login":      func(_ *rig, v *visitor, _ string) { v.with(func(s *session.Session) { s.Login("ada") }) },
		"revoke":     func(r *rig, _ *visitor, id string) { r.Revoke(context.Background(), id) },
		"revokeuser": func(r *rig, _ *visitor, _ string) { r.RevokeUser(context.Background(), "ada") },
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			other := r.node()
			v := r.visitor()
			var id string
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1); id = s.ID() })
			slow, g := v.clone().on(other.Manager), newGate()
			answer := make(chan *http.Response)
			go func() {
				answer <- slow.with(func(s *session.Session) {
					g.wait()
					s.Set("x", 2)
				})
			}()
			<-g.reached
			end(r, v, id)
			close(g.open)
			resp := <-answer
			if resp.StatusCode != http.StatusConflict {
				t.Errorf("the slow request got %d, want 409", resp.StatusCode)
			}
			if c := resp.Header["Set-Cookie"]; c != nil {
				t.Errorf("the slow response touches the cookie: %d Set-Cookie", len(c))
			}
			if infos, _ := r.Sessions(context.Background(), "ada"); name != "login" && len(infos) != 0 {
				t.Errorf("%d sessions are alive after the end", len(infos))
			}
			slow.with(func(s *session.Session) {
				if s.User() != "" || s.Has("x") {
					t.Error("the old ticket still opens the session")
				}
			})
		})
	}
}

// A logout that was asked for is done, also when what the handler did after it is refused.
func TestALogoutHoldsWhenWhatFollowsIsRefused(t *testing.T) {
	for name, after := range map[string]struct {
		do     func(*session.Session)
		status int
	}{
		"too much data": {func(s *session.Session) { s.Set("x", strings.Repeat("x", 2000)) },
			http.StatusInternalServerError},
		"a path that is no": {func(s *session.Session) { s.Set("a..b", 1) },
			http.StatusInternalServerError},
		"a user who is signed in elsewhere": {func(s *session.Session) { s.Login("bob") }, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, atMost(1, session.RefuseNew), func(o *session.Options) {
				o.MaxBytes, o.ClearOnLogout = 1000, true
			})
			r.visitor().with(func(s *session.Session) { s.Login("bob") })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
			old := v.clone()
			resp := v.with(func(s *session.Session) { s.Logout(); after.do(s) })
			if resp.StatusCode != after.status || resp.Header.Get("Clear-Site-Data") == "" {
				t.Errorf("status %d, want %d, and %v", resp.StatusCode, after.status, resp.Header)
			}
			if v.ticket() != "" {
				t.Error("the client keeps its ticket")
			}
			if !sees(old, func(s *session.Session) bool { return s.User() == "" && !s.Has("x") }) ||
				r.alive("ada") != 0 {
				t.Error("the old ticket still opens the session")
			}
		})
	}
}

// Different paths, appends and updates of parallel requests at two nodes are all kept.
func TestNoWriteIsLost(t *testing.T) {
	r := newRig(t)
	nodes := []*rig{r, r.node()}
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("start", true) })
	const clients, rounds = 16, 10
	const n = session.Key[int]("count")
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			mine := v.clone().on(nodes[c%2].Manager)
			for i := range rounds {
				resp := mine.with(func(s *session.Session) {
					s.Set(fmt.Sprintf("own.c%d.r%d", c, i), i)
					s.Append("list", c*rounds+i)
					n.Update(s, func(n int) int { return n + 1 })
				})
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d", resp.StatusCode)
				}
			}
		})
	}
	wg.Wait()
	v.with(func(s *session.Session) {
		if got := n.Or(s, 0); got != clients*rounds {
			t.Errorf("count = %d, want %d", got, clients*rounds)
		}
		if list, _ := s.Get("list").([]any); len(list) != clients*rounds {
			t.Errorf("list has %d elements, want %d", len(list), clients*rounds)
		}
		for c := range clients {
			if m, _ := s.Get(fmt.Sprintf("own.c%d", c)).(map[string]any); len(m) != rounds {
				t.Errorf("client %d kept %d of %d", c, len(m), rounds)
			}
		}
	})
}

// The round trips of DESIGN section 5, and nothing of a stranger.
func TestTheCostIsKnown(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	cost := func(what string, want int, do func() *http.Response) *http.Response {
		t.Helper()
		r.store.reset()
		resp := do()
		if got := r.store.total(); got != want {
			t.Errorf("%s: %d calls (%v), want %d", what, got, r.store.calls, want)
		}
		return resp
	}
	cost("anonymous read", 0, func() *http.Response { return v.with(func(s *session.Session) { s.Get("x") }) })
	cost("first save", 1, func() *http.Response { return v.with(func(s *session.Session) { s.Set("x", 1) }) })
	cost("read", 1, func() *http.Response { return v.with(func(s *session.Session) { s.Get("x") }) })
	cost("read and write", 2, func() *http.Response { return v.with(func(s *session.Session) { s.Set("x", 2) }) })
	cost("login", 3, func() *http.Response { return v.with(func(s *session.Session) { s.Login("ada") }) })
	resp := cost("untouched", 0, func() *http.Response {
		return v.through(r.Middleware(http.NotFoundHandler()), "GET")
	})
	if resp.Header["Set-Cookie"] != nil || resp.Header["Vary"] != nil {
		t.Errorf("untouched response has %v", resp.Header)
	}
	r.clock.advance(2 * time.Minute)
	cost("read that is due for a touch", 2, func() *http.Response {
		return v.with(func(s *session.Session) { s.Get("x") })
	})
	stranger := r.visitor()
	for range 1000 {
		stranger.with(func(s *session.Session) {
			s.Regenerate()
			s.Invalidate()
			s.SetPersistent(true)
			s.Now("x", 1)
		})
	}
	n := 0
	for range r.All(context.Background()) {
		n++
	}
	if n != 1 {
		t.Errorf("%d records, want the one of ada", n)
	}
}

// Fifty parallel requests with one ticket that is due for renewal: all are served, all are handed the one successor.
func TestTheTicketSurvivesRotation(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	old := v.ticket()
	r.clock.advance(2 * time.Hour)
	var wg sync.WaitGroup
	g := newGate()
	tickets := make([]string, 50)
	for i := range tickets {
		mine := v.clone()
		wg.Go(func() {
			mine.with(func(s *session.Session) {
				g.wait()
				if s.User() != "ada" {
					t.Error("a request was logged out")
				}
			})
			tickets[i] = mine.ticket()
		})
	}
	for range tickets {
		<-g.reached
	}
	close(g.open)
	wg.Wait()
	for _, ticket := range tickets {
		if ticket == old || ticket[:46] != tickets[0][:46] {
			t.Fatal("not all requests were handed the one new ticket")
		}
	}
	if infos, _ := r.Sessions(context.Background(), "ada"); len(infos) != 1 {
		t.Errorf("%d live sessions, want 1", len(infos))
	}
	late := v // still has the old ticket
	late.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Error("the old ticket does not open the session within the grace")
		}
	})
	v = r.visitor()
	v.jar.SetCookies(mustURL(), []*http.Cookie{{Name: "__Host-Http-session", Value: old, Secure: true, Path: "/"}})
	r.clock.advance(time.Minute)
	v.with(func(s *session.Session) {
		if s.User() != "" {
			t.Error("the old ticket opens the session after the grace")
		}
	})
	if r.ev.count(session.EventReused) != 1 {
		t.Errorf("%d events reused, want 1", r.ev.count(session.EventReused))
	}
}

// Nothing in a record is a ticket; what stands in another row, or under another user, does not open.
func TestAStolenDatabaseOpensNoSession(t *testing.T) {
	for _, seal := range []bool{false, true} {
		t.Run(fmt.Sprintf("seal=%v", seal), func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.Seal = seal })
			ada, bob := r.visitor(), r.visitor()
			ids := map[string]string{}
			for name, v := range map[string]*visitor{"ada": ada, "bob": bob} {
				v.with(func(s *session.Session) {
					s.Login(name)
					s.Set("canary", "plain-text-value")
					ids[name] = s.ID()
				})
			}
			ctx := context.Background()
			a, _ := r.store.fullStore.Load(ctx, ids["ada"])
			b, _ := r.store.fullStore.Load(ctx, ids["bob"])
			random := strings.Split(ada.ticket(), ".")[1]
			if bytes.Contains(a.Data, []byte(random)) || a.ID == random {
				t.Error("the record contains the ticket")
			}
			if seal && bytes.Contains(a.Data, []byte("plain-text-value")) {
				t.Error("the sealed record contains a value")
			}
			for what, change := range map[string]func(rec *session.Record){
				"data of another row": func(rec *session.Record) { rec.Data = b.Data },
				"another user":        func(rec *session.Record) { rec.User = "bob" },
				"an edited byte":      func(rec *session.Record) { rec.Data[len(rec.Data)-1] ^= 1 },
				"torn":                func(rec *session.Record) { rec.Data = rec.Data[:len(rec.Data)/2] },
			} {
				rec := a.Clone()
				change(rec)
				forged := newRigOn(t, planted(t, rec), func(o *session.Options) { o.Seal = seal })
				ada.clone().on(forged.Manager).with(func(s *session.Session) {
					if s.User() != "" || s.Has("canary") || !s.IsNew() {
						t.Errorf("%s: the record opens", what)
					}
				})
				if forged.ev.count(session.EventRejected) != 1 {
					t.Errorf("%s: no event", what)
				}
				if _, err := forged.store.fullStore.Load(ctx, rec.ID); err != nil {
					t.Errorf("%s: the record was removed: %v", what, err)
				}
			}
		})
	}
}

// A store that is down: one clean 503, and everybody is still signed in afterwards.
func TestAnOutageLogsNobodyOut(t *testing.T) {
	for _, call := range []string{"load", "save"} {
		t.Run(call, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada") })
			ticket := v.ticket()
			r.store.hook(func(c, _ string) error {
				if c == call {
					return errors.New("connection refused")
				}
				return nil
			})
			resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", 1)
				w.Header().Set("ETag", `"x"`)
				w.Header().Set("Content-Length", "5")
				w.WriteHeader(http.StatusCreated)
				w.Write([]byte("hello"))
			})
			var body bytes.Buffer
			body.ReadFrom(resp.Body)
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" ||
				strings.Contains(body.String(), "hello") {
				t.Errorf("got %d %v %q, want one clean 503", resp.StatusCode, resp.Header, body.String())
			}
			if resp.Header["Set-Cookie"] != nil || resp.Header.Get("ETag") != "" ||
				resp.Header.Get("Content-Length") == "5" {
				t.Errorf("headers of the handler or a cookie are in the answer: %v", resp.Header)
			}
			r.store.hook(nil)
			v.with(func(s *session.Session) {
				if s.User() != "ada" || s.Has("x") {
					t.Errorf("after the outage: user %q, x %v", s.User(), s.Get("x"))
				}
			})
			if v.ticket() != ticket {
				t.Error("the ticket changed")
			}
		})
	}
}

// A value that the new code cannot read costs that one key; keys that it does not know are carried through.
func TestADeployLogsNobodyOut(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) {
		s.Login("ada")
		s.Set("cart", "one text")
		s.Set("unknown", map[string]any{"kept": 1})
	})
	const cart = session.Key[map[string]int]("cart")
	for range 2 {
		v.with(func(s *session.Session) {
			_, err := cart.Lookup(s)
			var bad *session.DecodeError
			if !errors.As(err, &bad) || bad.Path != "cart" || strings.Contains(err.Error(), "one text") {
				t.Errorf("Lookup = %v, want a DecodeError of cart without the value", err)
			}
			if s.User() != "ada" || len(cart.Or(s, nil)) != 0 {
				t.Error("more than the one key is lost")
			}
			s.Set("new", true)
		})
	}
	v.with(func(s *session.Session) {
		if s.Get("cart") != "one text" || s.Get("unknown.kept") != int64(1) {
			t.Errorf("carried through: %v, %v", s.Get("cart"), s.Get("unknown"))
		}
	})
	if n := r.ev.count(session.EventUndecodable); n != 2 {
		t.Errorf("%d events undecodable, want one for each request", n)
	}
}
