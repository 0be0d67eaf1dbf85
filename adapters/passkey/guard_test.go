package passkey_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// guarded puts what a site has around the pages: forms, attempts to sign in, and two pages of its own.
func guarded(t *testing.T, opts guard.Options) func(*setup) {
	return func(up *setup) {
		up.wrap = func(m *session.Manager, pages http.Handler) http.Handler {
			g, err := guard.New(m, opts)
			if err != nil {
				t.Fatal(err)
			}
			ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			mux := http.NewServeMux()
			mux.Handle("/", pages)
			mux.Handle("/passkey/sign-in/finish", g.SignIn(func(*http.Request) string { return "" })(pages))
			mux.Handle("/pay", g.Fresh(time.Minute, passkey.Factor)(ok))
			mux.Handle("/transfer", g.Fresh(time.Minute, passkey.FactorVerified)(ok))
			return g.CSRF(mux)
		}
	}
}

func TestAConfirmationOpensWhatAsksForAPasskey(t *testing.T) {
	st := newSite(t, guarded(t, guard.Options{ConfirmPage: "/confirm"}))
	d, b := newDevice(t), st.browser()
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.header.Set("Accept", "application/json")
	b.do("login=ada")
	b.finish("register", d.create(t, b.begin("register", "{}"))).want(t, http.StatusNoContent)
	for _, path := range []string{"/pay", "/transfer"} {
		got := b.post(path, "{}").want(t, http.StatusUnauthorized)
		if !strings.Contains(got.body, passkey.Factor) || !strings.Contains(got.body, "/confirm") {
			t.Errorf("%s is answered with %s", path, got.body)
		}
	}
	b.finish("confirm", d.get(t, b.begin("confirm", "{}"))).want(t, http.StatusNoContent)
	b.post("/pay", "{}").want(t, http.StatusNoContent)
	b.post("/transfer", "{}").want(t, http.StatusNoContent)
	st.clock.advance(time.Minute + time.Second)
	b.post("/pay", "{}").want(t, http.StatusUnauthorized)
}

func TestOtherSitesCannotUseThePaths(t *testing.T) {
	st := newSite(t, guarded(t, guard.Options{}))
	for site, want := range map[string]int{"same-origin": 200, "cross-site": 403, "same-site": 403, "": 403} {
		b := st.browser()
		if site != "" {
			b.header.Set("Sec-Fetch-Site", site)
		}
		if got := b.post("/passkey/sign-in/begin", "{}"); got.status != want {
			t.Errorf("Sec-Fetch-Site %q: status %d, want %d", site, got.status, want)
		}
	}
}

// Beginnings and sign-ins that succeed use up none of the attempts.
func TestOnlyFailuresAreCountedAsAttempts(t *testing.T) {
	st := newSite(t, guarded(t, guard.Options{SignIn: guard.SignInLimits{AddressAttempts: 15}}))
	d, b := newDevice(t), st.browser()
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.do("login=ada")
	b.finish("register", d.create(t, b.begin("register", "{}"))).want(t, http.StatusNoContent)
	for range 5 {
		b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusNoContent)
	}
	var last answer
	for range 4 {
		last = b.finish("sign-in", d.get(t, options{}))
	}
	last.want(t, http.StatusTooManyRequests)
}

// Whose passkey it is turns out when it is checked, and so does whether the device is new to them.
func TestASignInByAPasskeyTellsOfANewDevice(t *testing.T) {
	st := newSite(t, guarded(t, guard.Options{}))
	d, b := newDevice(t), st.browser()
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.do("login=ada")
	b.finish("register", d.create(t, b.begin("register", "{}"))).want(t, http.StatusNoContent)
	for i, b := range []*browser{b, b, st.browser()} {
		st.events = nil
		b.header.Set("Sec-Fetch-Site", "same-origin")
		b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusNoContent)
		told := slices.DeleteFunc(st.events, func(e session.Event) bool { return e.Kind != session.EventNewDevice })
		if isNew := i != 1; isNew && (len(told) != 1 || told[0].User != "ada") || !isNew && len(told) != 0 {
			t.Errorf("sign-in %d: the site is told of %+v", i+1, told)
		}
	}
}

// brittle is a list of revocations that takes nothing while it is broken.
type brittle struct {
	*memstore.Store
	broken atomic.Bool
}

func (b *brittle) Save(ctx context.Context, rec *session.Record) error {
	if b.broken.Load() {
		return errors.New("the connection broke")
	}
	return b.Store.Save(ctx, rec)
}

// The challenge is taken, which gives a session in a cookie another ticket, and then the confirmation fails to be kept.
func TestAConfirmationThatIsNotKeptTellsOfNoDevice(t *testing.T) {
	list := &brittle{Store: memstore.New(memstore.Options{})}
	st := newSite(t, func(up *setup) {
		store, err := cookiestore.New(cookiestore.Options{Revocations: list})
		if err != nil {
			t.Fatal(err)
		}
		up.stores = []session.Store{store}
		up.wrap = func(m *session.Manager, pages http.Handler) http.Handler {
			g, err := guard.New(m, guard.Options{})
			if err != nil {
				t.Fatal(err)
			}
			mux := http.NewServeMux()
			mux.Handle("/", pages)
			mux.Handle("/passkey/confirm/finish", g.SignIn(func(*http.Request) string { return "" })(pages))
			return mux
		}
	})
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	told := func() (n int) {
		for _, e := range st.events {
			if e.Kind == session.EventNewDevice {
				n++
			}
		}
		return n
	}
	st.accounts.used = func() { list.broken.Store(true) }
	b.finish("confirm", d.get(t, b.begin("confirm", "{}"))).want(t, http.StatusServiceUnavailable)
	if n := told(); n != 0 {
		t.Errorf("the site is told of %d devices by a confirmation that is not kept", n)
	}
	st.accounts.used = nil
	list.broken.Store(false)
	b.finish("confirm", d.get(t, b.begin("confirm", "{}"))).want(t, http.StatusNoContent)
	if n := told(); n != 1 {
		t.Errorf("the site is told of %d devices, want one", n)
	}
}

func TestOptionsConfirmIsToldEachFactor(t *testing.T) {
	var told []string
	st := newSite(t, func(up *setup) {
		up.passkey.Confirm = func(_ *http.Request, s *session.Session, factor string) error {
			told = append(told, factor)
			s.Confirm(factor)
			return s.Err()
		}
	})
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	b.finish("confirm", d.get(t, b.begin("confirm", "{}"))).want(t, http.StatusNoContent)
	if got := strings.Join(told, " "); got != "webauthn webauthn.uv" {
		t.Errorf("Options.Confirm was told of %q", got)
	}
	b.wantWho("ada pwd webauthn webauthn.uv")
}

func TestOptionsLoginIsASignInOption(t *testing.T) {
	st := newSite(t, func(up *setup) {
		up.passkey.Login = func(_ *http.Request, a passkey.Account) []session.LoginOption {
			return []session.LoginOption{session.Remember(time.Hour), session.Factor("of:" + a.User)}
		}
	})
	d, b := st.registered("ada"), st.browser()
	got := b.finish("sign-in", d.get(t, b.begin("sign-in", "{}"))).want(t, http.StatusNoContent)
	if cookies := strings.Join(got.header["Set-Cookie"], "\n"); !strings.Contains(cookies, "Max-Age=3600") {
		t.Errorf("the cookies are %q, want one that is remembered", cookies)
	}
	b.wantWho("ada of:ada webauthn webauthn.uv")
}

func TestSessionsSwitchedOffSignNobodyIn(t *testing.T) {
	st := newSite(t, func(up *setup) {
		up.session.Skip = func(r *http.Request) bool { return r.Header.Get("X-Skip") != "" }
	})
	d, b := st.registered("ada"), st.browser()
	b.header.Set("X-Skip", "1")
	got := b.post("/passkey/sign-in/begin", "{}")
	if got.status == http.StatusOK {
		got = b.finish("sign-in", d.get(t, parse(t, got)))
	}
	if got.status < 400 {
		t.Errorf("status %d for a sign-in that nobody keeps", got.status)
	}
}

// One passkey, one deed: the confirmation names the operation, and is good for one request.
func TestAConfirmationNamesItsOperation(t *testing.T) {
	var g *guard.Guard
	st := newSite(t, func(up *setup) {
		up.passkey.Confirm = func(r *http.Request, s *session.Session, factor string) error {
			if factor != passkey.FactorVerified {
				s.Confirm(factor)
				return nil
			}
			return g.Confirm(s, r.URL.Query().Get(guard.OperationParam), factor)
		}
		up.wrap = func(m *session.Manager, pages http.Handler) http.Handler {
			var err error
			if g, err = guard.New(m, guard.Options{ConfirmPage: "/confirm"}); err != nil {
				t.Fatal(err)
			}
			once := g.Once("transfer", func(r *http.Request) string { return "Transfer " + r.FormValue("sum") })
			mux := http.NewServeMux()
			mux.Handle("/", pages)
			mux.Handle("/transfer", once(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			})))
			return mux
		}
	})
	d, b := st.registered("ada"), st.browser()
	b.do("login=ada")
	b.header.Set("Accept", "application/json")
	var asked struct {
		Operation guard.Operation `json:"operation"`
	}
	got := b.post("/transfer?sum=10", "").want(t, http.StatusUnauthorized)
	if err := json.Unmarshal([]byte(got.body), &asked); err != nil || asked.Operation.ID == "" {
		t.Fatalf("%s: %v", got.body, err)
	}
	body := d.get(t, b.begin("confirm", "{}"))
	b.post("/passkey/confirm/finish?"+guard.OperationParam+"="+asked.Operation.ID, body).want(t, http.StatusNoContent)
	b.post("/transfer?sum=11", "").want(t, http.StatusUnauthorized)
	b.post("/transfer?sum=10", "").want(t, http.StatusNoContent)
	b.post("/transfer?sum=10", "").want(t, http.StatusUnauthorized)
}
