package oidcsession_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
)

// steps runs one deed with another before each of its calls of the store, and then with none, as often as it has calls.
// prepare makes the site anew; the other deed runs on a second node.
func steps(t *testing.T, prepare func(p *provider, one, two *node) (deed, other func(), check func(step int64))) {
	t.Helper()
	for at := int64(1); ; at++ {
		p, store := newProvider(t), newStepped()
		one := newNode(t, p, store, oidcsession.Options{})
		two := newNode(t, p, store.Store, oidcsession.Options{})
		one.store = store
		deed, other, check := prepare(p, one, two)
		store.at, store.do = at, other
		store.on.Store(true)
		deed()
		store.on.Store(false)
		if store.calls.Load() < at {
			if at < 4 {
				t.Fatalf("the deed has %d calls of the store: nothing was tried", at-1)
			}
			return
		}
		check(at)
	}
}

func TestALogoutAtEveryStepOfItsSignInWins(t *testing.T) {
	for name, row := range map[string]struct{ sub, sid, began string }{
		"by sid": {"", "sid 1", "sid 1"}, "by sub": {"ada", "", "sid 1"}, "by both": {"ada", "sid 1", "sid 1"},
		"by both, after a sign-in without a sid": {"ada", "sid 1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
				phone := newBrowser(t)
				token := p.idToken(t, "ada", row.began, nil)
				var status int
				return func() { status, _ = phone.post(one, "/signin", url.Values{"id_token": {token}}) },
					func() { two.logsOut(p.logoutToken(t, row.sub, row.sid)) },
					func(step int64) {
						told := "|"
						switch status {
						case http.StatusForbidden:
						case http.StatusOK: // the sign-in came first, and the logout has found it
							told = ended
						default:
							t.Errorf("step %d: the sign-in is answered with %d", step, status)
						}
						if left, err := one.sessions.Sessions(t.Context(), "ada"); len(left) > 0 || err != nil {
							t.Errorf("step %d: %d sessions are left, %v", step, len(left), err)
						}
						phone.is(two, told)
					}
			})
		})
	}
}

func TestASignInAtEveryStepOfItsLogoutIsOver(t *testing.T) {
	for name, row := range map[string]struct{ sub, sid, began string }{
		"by sid": {"", "sid 1", "sid 1"}, "by sub": {"ada", "", "sid 1"},
		"by both, after a sign-in without a sid": {"ada", "sid 1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
				phone := newBrowser(t)
				return func() { one.logsOut(p.logoutToken(t, row.sub, row.sid)) },
					func() { phone.trySignIn(two, "ada", row.began) },
					func(step int64) {
						left, err := one.sessions.Sessions(t.Context(), "ada")
						if len(left) > 0 || err != nil {
							t.Errorf("step %d: %d sessions are left, %v", step, len(left), err)
						}
					}
			})
		})
	}
}

func TestARenewalAtEveryStepOfALogoutDoesNotEscapeIt(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		phone.signIn(two, "ada", "sid 1")
		return func() { one.logsOut(p.logoutToken(t, "", "sid 1")) },
			func() { phone.post(two, "/renew", nil) },
			func(step int64) {
				if left, err := one.sessions.Sessions(t.Context(), "ada"); len(left) > 0 || err != nil {
					t.Errorf("step %d: %d sessions are left, %v", step, len(left), err)
				}
			}
	})
}

func TestALogoutDoesNotEndWhoSignedInAnewInTheSameBrowser(t *testing.T) {
	for name, user := range map[string]string{"the same user": "ada", "somebody else": "bob"} {
		t.Run(name, func(t *testing.T) {
			steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
				phone := newBrowser(t)
				phone.signIn(two, "ada", "sid 1")
				return func() { one.logsOut(p.logoutToken(t, "ada", "sid 1")) },
					func() { phone.signIn(two, user, "sid 2") },
					func(int64) { phone.is(two, user+"|") }
			})
		})
	}
}

func TestALogoutAtEveryStepOfANewSignInEndsOnlyTheOldOne(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		phone.signIn(one, "ada", "sid 1")
		return func() { phone.signIn(one, "ada", "sid 2") },
			func() { two.logsOut(p.logoutToken(t, "ada", "sid 1")) },
			func(int64) { phone.is(two, "ada|") }
	})
}

func TestTwoLogoutsOfOneSignInBothSucceed(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		phone.signIn(two, "ada", "sid 1")
		return func() { one.logsOut(p.logoutToken(t, "ada", "sid 1")) },
			func() { two.logsOut(p.logoutToken(t, "ada", "")) },
			func(int64) { phone.is(two, ended) }
	})
}

func TestOfTwoUsesOfOneTokenAtTheSameTimeOneIsRefused(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		phone.signIn(two, "ada", "sid 1")
		token := p.logoutToken(t, "ada", "sid 1")
		var first, second int
		return func() { first, _ = one.logout(token) }, func() { second, _ = two.logout(token) },
			func(step int64) {
				if first+second != http.StatusOK+http.StatusBadRequest {
					t.Errorf("step %d: %d and %d, want 200 and 400", step, first, second)
				}
				phone.is(two, ended)
			}
	})
}

func TestSignInsAndLogoutsAtTheSameTime(t *testing.T) {
	p, one, two := pair(t, func(o *session.Options) { o.RenewEvery = time.Millisecond })
	for range 20 {
		phone := newBrowser(t)
		phone.signIn(one, "ada", "old")
		var group sync.WaitGroup
		sid := p.common()["jti"].(string)
		group.Go(func() { phone.trySignIn(one, "ada", sid) })
		group.Go(func() { two.logsOut(p.logoutToken(t, "", sid)) })
		group.Go(func() { phone.post(two, "/renew", nil) })
		group.Wait()
		for _, n := range []*node{one, two} {
			n.logsOut(p.logoutToken(t, "", "old"))
		}
		if left, err := two.sessions.Sessions(t.Context(), "ada"); len(left) > 0 || err != nil {
			t.Fatalf("%d sessions are left, %v", len(left), err)
		}
		p.clock.advance(time.Hour) // the old sid may be used again
	}
}

func TestASignInThatTheStoreCannotFinishIsFoundByTheNextLogout(t *testing.T) {
	steps(t, func(_ *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		var status int
		return func() { status, _ = phone.trySignIn(one, "ada", "sid 1") },
			func() { one.store.fails.Store(true) },
			func(step int64) {
				one.store.fails.Store(false)
				if status != http.StatusServiceUnavailable {
					t.Errorf("step %d: %d, want 503", step, status)
				}
				two.logsOut(two.p.logoutToken(t, "", "sid 1"))
				if left, err := two.sessions.Sessions(t.Context(), "ada"); len(left) > 0 || err != nil {
					t.Errorf("step %d: %d sessions are left, %v", step, len(left), err)
				}
			}
	})
}

// Who hangs up one call after the logout leaves no session that the logout has missed.
func TestASignInThatIsGivenUpIsOverAfterItsLogout(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		ctx, hangUp := context.WithCancel(t.Context())
		token, err := one.tokens.Verify(t.Context(), p.idToken(t, "ada", "sid 1", nil))
		if err != nil {
			t.Fatal(err)
		}
		return func() {
				s, _ := one.sessions.Open(ctx, "")
				_ = one.links.Login(ctx, s, "ada", token)
			}, func() {
				two.logsOut(p.logoutToken(t, "", "sid 1"))
				one.store.at, one.store.do = one.store.calls.Load()+1, hangUp
			}, func(step int64) {
				hangUp()
				if left, err := two.sessions.Sessions(t.Context(), "ada"); len(left) > 0 || err != nil {
					t.Errorf("step %d: %d sessions are left, %v", step, len(left), err)
				}
			}
	})
}

func TestALogoutThatTheStoreCannotFinishMayComeAgain(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		phone.signIn(two, "ada", "sid 1")
		token := p.logoutToken(t, "ada", "sid 1")
		var status int
		return func() { status, _ = one.logout(token) },
			func() { one.store.fails.Store(true) },
			func(step int64) {
				one.store.fails.Store(false)
				if status != http.StatusServiceUnavailable {
					t.Errorf("step %d: %d, want 503", step, status)
				}
				two.logsOut(token)
				phone.is(two, ended)
			}
	})
}

func TestALogoutWhoseAnswerFromTheStoreIsLostMayComeAgain(t *testing.T) {
	steps(t, func(p *provider, one, two *node) (deed, other func(), check func(int64)) {
		phone := newBrowser(t)
		phone.signIn(two, "ada", "sid 1")
		token := p.logoutToken(t, "ada", "sid 1")
		var status int
		return func() { status, _ = one.logout(token) },
			func() { one.store.loses.Store(true) },
			func(step int64) {
				switch status {
				case http.StatusServiceUnavailable:
					two.logsOut(token)
				case http.StatusOK:
				default:
					t.Errorf("step %d: %d, want 200 or 503", step, status)
				}
				phone.is(two, ended)
				if status, _ := two.logout(token); status != http.StatusBadRequest {
					t.Errorf("step %d: the token is good for another use: %d", step, status)
				}
			}
	})
}
