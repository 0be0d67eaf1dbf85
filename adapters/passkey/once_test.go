package passkey_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
)

// onTwoNodes lets two nodes share a store.
func onTwoNodes(up *setup) { up.stores = []session.Store{up.stores[0], up.stores[0]} }

// inFiles lets two nodes share a folder.
func inFiles(t *testing.T) func(*setup) {
	return func(up *setup) {
		dir := t.TempDir()
		for range 2 {
			store, err := filestore.New(dir, filestore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			up.stores = append(up.stores, store)
		}
		up.stores = up.stores[1:]
	}
}

// inCookies lets sessions travel in their tickets.
func inCookies(t *testing.T) func(*setup) {
	return func(up *setup) {
		store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		up.stores = []session.Store{store, store}
	}
}

func everywhere(t *testing.T) map[string]func(*setup) {
	return map[string]func(*setup){"memory": onTwoNodes, "files": inFiles(t), "cookies": inCookies(t)}
}

// race sends one answer from many copies of a browser to both nodes at once, and returns the statuses in order.
func race(b *browser, what, body string) []int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var statuses []int
	for i := range 8 {
		other := b.before().to(i % 2)
		wg.Go(func() {
			got := other.finish(what, body)
			mu.Lock()
			defer mu.Unlock()
			statuses = append(statuses, got.status)
		})
	}
	wg.Wait()
	slices.Sort(statuses)
	return statuses
}

func TestOneOfManyAnswersToAChallengeWinsOnTwoNodes(t *testing.T) {
	for name, store := range everywhere(t) {
		st := newSite(t, store)
		d, b := st.registered("ada"), st.browser()
		want := []int{204, 409, 409, 409, 409, 409, 409, 409}
		if got := race(b, "sign-in", d.get(t, b.begin("sign-in", "{}"))); !slices.Equal(got, want) {
			t.Errorf("%s: a stranger signs in: %v, want %v", name, got, want)
		}
		b.do("cart=coat")
		if got := race(b, "sign-in", d.get(t, b.begin("sign-in", "{}"))); !slices.Equal(got, want) {
			t.Errorf("%s: a visitor with a cart signs in: %v, want %v", name, got, want)
		}
		b = st.browser()
		b.do("login=ada")
		if got := race(b, "confirm", d.get(t, b.begin("confirm", "{}"))); !slices.Equal(got, want) {
			t.Errorf("%s: a confirmation: %v, want %v", name, got, want)
		}
		b = st.browser()
		b.do("login=bob")
		if got := race(b, "register", newDevice(t).create(t, b.begin("register", "{}"))); !slices.Equal(got, want) {
			t.Errorf("%s: a registration: %v, want %v", name, got, want)
		}
	}
}

func TestAChallengeOfOneNodeIsAnsweredAtTheOther(t *testing.T) {
	for name, store := range everywhere(t) {
		st := newSite(t, store)
		d, b := st.registered("ada"), st.browser()
		body := d.get(t, b.begin("sign-in", "{}"))
		old := b.before()
		if got := b.to(1).finish("sign-in", body); got.status != http.StatusNoContent {
			t.Errorf("%s: status %d at the other node", name, got.status)
		}
		if got := old.finish("sign-in", body); got.status != http.StatusConflict {
			t.Errorf("%s: status %d for the answer once more, at the first node", name, got.status)
		}
		body = d.get(t, b.begin("confirm", "{}"))
		old = b.before()
		b.to(1).finish("confirm", body).want(t, http.StatusNoContent)
		old.finish("confirm", body).want(t, http.StatusConflict)
		b.wantWho("ada webauthn webauthn.uv")
	}
}

// A second tab that asks beside the answer of the first must not lose its challenge, and must not bring back the other.
func TestTwoTabsAskAndAnswerAtOnce(t *testing.T) {
	for name, store := range everywhere(t) {
		st := newSite(t, store)
		d, b := st.registered("ada"), st.browser()
		b.do("login=ada")
		first := d.get(t, b.begin("confirm", "{}"))
		old := b.before()
		second := d.get(t, b.to(1).begin("confirm", "{}"))
		b.finish("confirm", first).want(t, http.StatusNoContent)
		if got := b.finish("confirm", second); got.status != http.StatusNoContent {
			t.Errorf("%s: the answer of the second tab: status %d", name, got.status)
		}
		old.finish("confirm", first).want(t, http.StatusConflict)
	}
}

// The response to a wrong answer is lost, and with it the new ticket. The next attempt begins afresh.
func TestAStrangerTriesAgainAfterALostResponse(t *testing.T) {
	for name, store := range everywhere(t) {
		st := newSite(t, store)
		d, b := st.registered("ada"), st.browser()
		o := b.begin("sign-in", "{}")
		b.begin("sign-in", "{}")
		wrong := newDevice(t)
		wrong.id, wrong.handle = d.id, d.handle
		lost := b.before()
		b.finish("sign-in", wrong.get(t, o)).want(t, http.StatusForbidden)
		if got := lost.finish("sign-in", d.get(t, lost.begin("sign-in", "{}"))); got.status != http.StatusNoContent {
			t.Errorf("%s: status %d: %s", name, got.status, st.why())
		}
	}
}

func TestTicketsThatBringAChallengeBackAreRefused(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = passkey.New(m, newAccounts(), passkey.Options{Origins: []string{origin}})
	if !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("New = %v, want ErrNotSupported", err)
	}
}

func TestAClientWithoutCookiesHasItsChallengeInItsSession(t *testing.T) {
	st := newSite(t, func(up *setup) { up.session.Transport = session.Bearer("X-Session") })
	d, b := newDevice(t), st.browser()
	send := func(path, body string) answer {
		got := b.post(path, body)
		if len(got.header["Set-Cookie"]) > 0 {
			t.Errorf("%s sets %q", path, got.header["Set-Cookie"])
		}
		if ticket := got.header.Get("X-Session"); ticket != "" {
			b.header.Set("Authorization", "Bearer "+ticket)
		}
		return got
	}
	send("/do?login=ada", "")
	send("/passkey/register/finish", d.create(t, parse(t, send("/passkey/register/begin", "{}")))).want(t, 204)
	b.header.Del("Authorization")
	body := d.get(t, parse(t, send("/passkey/sign-in/begin", "{}")))
	ticket := b.header.Get("Authorization")
	send("/passkey/sign-in/finish", body).want(t, http.StatusNoContent)
	b.wantWho("ada webauthn webauthn.uv")
	b.header.Set("Authorization", ticket)
	send("/passkey/sign-in/finish", body).want(t, http.StatusConflict)
}

func TestARenewalInTheMiddleKeepsTheChallenge(t *testing.T) {
	st := newSite(t, func(up *setup) { up.session.RenewEvery = time.Millisecond })
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	body := d.get(t, b.begin("confirm", "{}"))
	old := b.before()
	st.clock.advance(time.Millisecond)
	b.wantWho("ada pwd") // with a new ticket
	old.finish("confirm", body).want(t, http.StatusNoContent)
	b.finish("confirm", body).want(t, http.StatusConflict)
}

// A stranger who asks and asks fills neither the session nor the list.
func TestTheOldestOfTooManyChallengesGoes(t *testing.T) {
	st := newSite(t)
	d, b := st.registered("ada"), st.browser()
	first := d.get(t, b.begin("sign-in", "{}"))
	var last options
	for range 8 {
		last = b.begin("sign-in", "{}")
	}
	b.finish("sign-in", first).want(t, http.StatusConflict)
	b.finish("sign-in", d.get(t, last)).want(t, http.StatusNoContent)
	if n := st.stored(); n > 2 {
		t.Errorf("%d sessions are stored", n)
	}
}

// Whoever cancels one prompt after another can still do what the site is for, also where all of that is in a cookie.
func TestChallengesLeaveRoomInTheCookie(t *testing.T) {
	st := newSite(t, inCookies(t))
	d, b := st.registered("ada"), st.browser()
	for _, body := range []string{`{"user":"ada"}`, "{}"} {
		var last options
		for range 9 {
			last = b.begin("sign-in", body)
		}
		b.finish("sign-in", d.get(t, last)).want(t, http.StatusNoContent)
		b.do("logout=1")
	}
	b.do("login=ada&cart=" + strings.Repeat("x", 500))
	other := newDevice(t)
	for range 9 {
		b.begin("register", "{}")
		b.begin("confirm", "{}")
	}
	last := b.begin("register", "{}")
	b.begin("confirm", "{}") // another tab
	b.do("cart=" + strings.Repeat("y", 500))
	b.finish("register", other.create(t, last)).want(t, http.StatusNoContent)
}

// A client that brings a ticket in a header keeps no cookie, even where others do.
func TestAClientWithAnOldTicketInAHeaderGetsANewOneThere(t *testing.T) {
	st := newSite(t, func(up *setup) {
		up.session.Transport = session.Transports(nil, session.Header("X-Session"))
	})
	d, b := st.registered("ada"), st.browser()
	b.header.Set("X-Session", "v1.old")
	got := b.post("/passkey/sign-in/begin", "{}")
	ticket := got.header.Get("X-Session")
	if ticket == "" || len(got.header["Set-Cookie"]) > 0 {
		t.Fatalf("the answer has the headers %v, want a ticket and no cookie", got.header)
	}
	b.header.Set("X-Session", ticket)
	b.finish("sign-in", d.get(t, parse(t, got))).want(t, http.StatusNoContent)
}

// bodyThat does something when the handler reads it, after the session was loaded.
type bodyThat struct {
	io.Reader
	does func()
}

func (b *bodyThat) Read(p []byte) (int, error) {
	if b.does != nil {
		b.does()
		b.does = nil
	}
	return b.Reader.Read(p)
}

func TestASessionThatEndsWhileItsAnswerComesTakesTheChallengeWithIt(t *testing.T) {
	var handler http.Handler
	st := newSite(t, func(up *setup) {
		up.wrap = func(_ *session.Manager, h http.Handler) http.Handler {
			handler = h
			return h
		}
	})
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	body := &bodyThat{strings.NewReader(d.get(t, b.begin("confirm", "{}"))), func() {
		if n, err := st.m.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
			t.Errorf("RevokeUser = %d, %v", n, err)
		}
	}}
	r := httptest.NewRequest(http.MethodPost, "/passkey/confirm/finish", body)
	r.Header.Set("Content-Type", "application/json")
	b.addCookies(r)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Please try again") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	b.wantWho("")
}

// hanging is a store that answers nobody any more.
type hanging struct {
	*memstore.Store
	hangs atomic.Bool
}

func (h *hanging) Load(ctx context.Context, id string) (*session.Record, error) {
	if h.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Store.Load(ctx, id)
}

func TestAStoreThatHangsHoldsNoStrangerUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hanging{Store: memstore.New(memstore.Options{})}
		m, err := session.New(store, session.Options{
			Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := passkey.New(m, newAccounts("ada"), passkey.Options{Origins: []string{origin}})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/begin", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		p.SignIn().ServeHTTP(w, r)
		store.hangs.Store(true)
		for _, path := range []string{"/begin", "/finish"} {
			body := "{}"
			if path == "/finish" {
				body = newDevice(t).get(t, parse(t, answer{body: w.Body.String()}))
			}
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.AddCookie(w.Result().Cookies()[0])
			again := httptest.NewRecorder()
			began := time.Now()
			p.SignIn().ServeHTTP(again, r)
			if again.Code != http.StatusServiceUnavailable || time.Since(began) > 10*time.Second {
				t.Errorf("%s: status %d after %v", path, again.Code, time.Since(began))
			}
		}
	})
}

// counting counts the calls of a store.
type counting struct {
	*memstore.Store
	loads, saves atomic.Int32
}

func (c *counting) Load(ctx context.Context, id string) (*session.Record, error) {
	c.loads.Add(1)
	return c.Store.Load(ctx, id)
}

func (c *counting) Save(ctx context.Context, rec *session.Record) error {
	c.saves.Add(1)
	return c.Store.Save(ctx, rec)
}

func TestAStrangersSignInCostsFourCallsBesideTheLogin(t *testing.T) {
	store := &counting{Store: memstore.New(memstore.Options{})}
	st := newSite(t, func(up *setup) { up.stores[0] = store })
	d, b := st.registered("ada"), st.browser()
	count := func(do func()) [2]int32 {
		loads, saves := store.loads.Load(), store.saves.Load()
		do()
		return [2]int32{store.loads.Load() - loads, store.saves.Load() - saves}
	}
	var o options
	if got := count(func() { o = b.begin("sign-in", "{}") }); got != [2]int32{0, 1} {
		t.Errorf("%d loads and %d saves at the beginning, want one save", got[0], got[1])
	}
	login := count(func() { st.browser().do("login=ada") })
	got := count(func() { b.finish("sign-in", d.get(t, o)).want(t, http.StatusNoContent) })
	if got != [2]int32{login[0] + 2, login[1] + 1} {
		t.Errorf("%v loads and saves at the end, and %v of a Login alone, want two and one more", got, login)
	}
}
