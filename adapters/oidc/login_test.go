package oidcsession_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// login signs in without a browser, and returns the session.
func (n *node) login(claims object, opts ...session.LoginOption) (*session.Session, error) {
	n.t.Helper()
	s, err := n.sessions.Open(n.t.Context(), "")
	if err != nil {
		n.t.Fatal(err)
	}
	return s, n.again(s, claims, opts...)
}

// again signs ada in on a session that there is.
func (n *node) again(s *session.Session, claims object, opts ...session.LoginOption) error {
	n.t.Helper()
	token, err := n.tokens.Verify(n.t.Context(), n.p.idToken(n.t, "sub 1", "sid 1", claims))
	if err != nil {
		n.t.Fatal(err)
	}
	return n.links.Login(n.t.Context(), s, "ada", token, opts...)
}

func TestASignInKnowsWhenAndByWhatTheProviderSawTheUser(t *testing.T) {
	p, one, _ := pair(t)
	at := p.clock.now().Add(-time.Hour)
	many := []string{"pwd", "pwd", "Kerberos", "", "http://example.com/mfa", strings.Repeat("x", 33), "urn:x"}
	for i := range 20 {
		many = append(many, fmt.Sprint("f", i))
	}
	for name, row := range map[string]struct {
		claims  object
		at      time.Time
		factors []string
	}{
		"both":         {object{"auth_time": at.Unix(), "amr": []string{"pwd", "otp"}}, at, []string{"otp", "pwd"}},
		"neither":      {nil, p.clock.now(), nil},
		"a fraction":   {object{"auth_time": float64(at.Unix()) + 0.5}, at, nil},
		"none":         {object{"auth_time": 0, "amr": []string{}}, p.clock.now(), nil},
		"strange ones": {object{"auth_time": -5, "amr": many[:6]}, p.clock.now(), []string{"pwd"}},
	} {
		s, err := one.login(row.claims)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := slices.Sorted(maps.Keys(s.Factors())); !s.LoginAt().Equal(row.at) || !slices.Equal(got, row.factors) {
			t.Errorf("%s: at %v by %q, want %v by %q", name, s.LoginAt(), got, row.at, row.factors)
		}
		link, ok := oidcsession.Of(s)
		want := oidcsession.Link{Issuer: p.URL, Client: clientID, Subject: "sub 1", SessionID: "sid 1",
			IssuedAt: p.clock.now()}
		if !ok || link != want {
			t.Errorf("%s: the link is %+v, want %+v", name, link, want)
		}
	}
	if s, err := one.login(object{"amr": many}); err != nil || len(s.Factors()) != 16 {
		t.Errorf("of many methods %d are factors, %v, want 16", len(s.Factors()), err)
	}
	for name, late := range map[string]any{
		"in an hour": p.clock.now().Add(time.Hour).Unix(), "in milliseconds": at.UnixMilli(), "ever": 1e300,
	} { // as one of now it would be fresh
		if s, err := one.login(object{"auth_time": late}); err == nil || s.User() != "" {
			t.Errorf("a sign-in of the future, %s, succeeds at %v", name, s.LoginAt())
		}
	}
}

func TestOptionsOfTheSiteComeAfterThoseOfTheProvider(t *testing.T) {
	p, one, _ := pair(t)
	end := p.clock.now().Add(time.Hour)
	s, err := one.login(object{"auth_time": p.clock.now().Add(-time.Hour).Unix()},
		session.LoginAt(p.clock.now()), session.Factor("pin"), func(s *session.Session) { s.SetDeadline(end) })
	if _, linked := oidcsession.Of(s); err != nil || !linked || !s.LoginAt().Equal(p.clock.now()) ||
		!s.ExpiresAt().Equal(end) || s.FactorAt("pin").IsZero() {
		t.Errorf("signed in at %v, until %v, %v", s.LoginAt(), s.ExpiresAt(), err)
	}
}

func TestALinkedSessionDoesNotOutliveItsLink(t *testing.T) {
	p := newProvider(t)
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{LinkFor: 100 * 24 * time.Hour},
		func(o *session.Options) { o.Lifetime = session.Never })
	s, err := n.login(nil, session.Remember(session.Never))
	if err != nil || !s.ExpiresAt().Equal(p.clock.now().Add(100*24*time.Hour)) {
		t.Errorf("the session lasts until %v, %v", s.ExpiresAt(), err)
	}
	p.clock.advance(99 * 24 * time.Hour)
	if _, err := n.sessions.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.logsOut(p.logoutToken(t, "", "sid 1"))
	if err := s.Reload(t.Context()); !errors.Is(err, session.ErrEnded) {
		t.Errorf("Reload = %v, want ErrEnded", err)
	}
}

// The link is kept for 30 days, and is no reason to stay signed in for so long.
func TestALinkedSessionLastsNoLongerThanItsLifetime(t *testing.T) {
	p := newProvider(t)
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{},
		func(o *session.Options) { o.IdleTimeout, o.Lifetime = time.Hour, 8*time.Hour })
	for name, row := range map[string]struct {
		opts []session.LoginOption
		want time.Duration
	}{
		"the manager's":  {nil, 8 * time.Hour},
		"Remember":       {[]session.LoginOption{session.Remember(24 * time.Hour)}, 24 * time.Hour},
		"a long one":     {[]session.LoginOption{session.Remember(90 * 24 * time.Hour)}, 30 * 24 * time.Hour},
		"an early end":   {[]session.LoginOption{endsAfter(p, 2*time.Hour)}, 2 * time.Hour},
		"a far deadline": {[]session.LoginOption{endsAfter(p, 90*24*time.Hour)}, 30 * 24 * time.Hour},
	} {
		s, err := n.login(nil, row.opts...)
		if err != nil {
			t.Fatal(err)
		}
		s.SetIdleTimeout(session.Never)
		if !s.ExpiresAt().Equal(p.clock.now().Add(row.want)) {
			t.Errorf("%s: the session lasts until %v, want %v more", name, s.ExpiresAt(), row.want)
		}
	}
}

func TestANewSignInRestartsTheLifetimeOfALinkedSession(t *testing.T) {
	p := newProvider(t)
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{},
		func(o *session.Options) { o.Lifetime = 8 * time.Hour })
	s, err := n.login(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.clock.advance(7 * time.Hour)
	if err := n.again(s, nil); err != nil || !s.ExpiresAt().Equal(p.clock.now().Add(8*time.Hour)) {
		t.Errorf("after a sign-in at %v the session lasts until %v, %v", p.clock.now(), s.ExpiresAt(), err)
	}
}

// endsAfter is an option by which a session ends.
func endsAfter(p *provider, d time.Duration) session.LoginOption {
	return func(s *session.Session) { s.SetDeadline(p.clock.now().Add(d)) }
}

func TestAnIDTokenIsForASignInOfNow(t *testing.T) {
	p, one, two := pair(t)
	token := func(age time.Duration) object { return object{"iat": p.clock.now().Add(-age).Unix()} }
	for _, age := range []time.Duration{17 * time.Minute, 50 * time.Minute} {
		if s, err := one.login(token(age)); !errors.Is(err, oidcsession.ErrTooOld) || s.User() != "" {
			t.Errorf("a token of %v ago: %v, %q, want ErrTooOld", age, err, s.User())
		}
	}
	if _, err := one.login(token(-2 * time.Minute)); err == nil {
		t.Error("a token of the future signs somebody in")
	}
	for _, age := range []time.Duration{16 * time.Minute, -time.Minute} {
		if _, err := one.login(token(age)); err != nil {
			t.Errorf("a token of %v ago: %v", age, err)
		}
	}

	// A token is refused for its age before it is forgotten that its sign-in is over.
	old, err := one.tokens.Verify(t.Context(), p.idToken(t, "sub 1", "sid 1", token(-time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	two.logsOut(p.logoutToken(t, "", "sid 1"))
	for range 40 {
		s, _ := one.sessions.Open(t.Context(), "")
		if err := one.links.Login(t.Context(), s, "ada", old); err == nil || s.User() != "" {
			t.Fatalf("at %v the token signs somebody in", p.clock.now())
		}
		p.clock.advance(30 * time.Second)
		if _, err := one.sessions.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := one.login(nil); err != nil {
		t.Errorf("a new sign-in by a sid that is used again: %v", err)
	}
	two.logsOut(p.logoutToken(t, "", "sid 1"))
}

func TestATokenOfSomebodyElseLinksNothing(t *testing.T) {
	_, one, _ := pair(t)
	other := newProvider(t)
	foreign := newNode(t, other, memstore.New(memstore.Options{}), oidcsession.Options{})
	token, err := foreign.tokens.Verify(t.Context(), other.idToken(t, "ada", "sid 1", nil))
	if err != nil {
		t.Fatal(err)
	}
	bank := *token
	bank.Audience = []string{"bank"}
	for name, token := range map[string]*oidc.IDToken{
		"none": nil, "not verified": {}, "of another provider": token, "for another client": &bank,
	} {
		s, _ := one.sessions.Open(t.Context(), "")
		if err := one.links.Login(t.Context(), s, "ada", token); err == nil || s.User() != "" {
			t.Errorf("a token %s: %v, %q", name, err, s.User())
		}
	}
	for name, claims := range map[string]object{
		"sid": {"sid": 7}, "amr": {"amr": "pwd"}, "auth_time": {"auth_time": "now"},
	} {
		if s, err := one.login(claims); err == nil || s.User() != "" {
			t.Errorf("a strange %s: %v, %q", name, err, s.User())
		}
	}
}

func TestWhatLoginRefusesLeavesTheSessionAsItWas(t *testing.T) {
	p, one, _ := pair(t, func(o *session.Options) { o.MaxPerUser, o.Overflow = 1, session.RefuseNew })
	first, err := one.login(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := one.login(nil); !errors.Is(err, session.ErrTooMany) || s.User() != "" || s.Save(t.Context()) != nil {
		t.Errorf("above the limit: %v, %q", err, s.User())
	}
	token, _ := one.tokens.Verify(t.Context(), p.idToken(t, "sub 1", "sid 1", nil))
	s, _ := one.sessions.Open(t.Context(), "")
	if err := one.links.Login(t.Context(), s, "\n", token); err == nil || s.User() != "" {
		t.Errorf("a bad name: %v, %q", err, s.User())
	}
	for _, by := range [][2]string{{"sub 1", ""}, {"", "sid 1"}} { // nothing of the bad name is left behind
		one.logsOut(p.logoutToken(t, by[0], by[1]))
	}
	if err := first.Reload(t.Context()); !errors.Is(err, session.ErrEnded) {
		t.Errorf("Reload = %v, want ErrEnded", err)
	}
	p.clock.advance(time.Second)
	if first, err = one.login(object{"sid": "sid 2"}); err != nil {
		t.Fatal(err)
	}
	err = first.Atomic(t.Context(), func(s *session.Session) error {
		return one.links.Login(t.Context(), s, "ada", token)
	})
	if err == nil || first.User() != "ada" {
		t.Errorf("within Atomic: %v, %q", err, first.User())
	}
}

func TestOneSubjectMayBeManyUsersOfTheSite(t *testing.T) {
	p, one, two := pair(t)
	token, _ := one.tokens.Verify(t.Context(), p.idToken(t, "sub 1", "sid 1", nil))
	as := func(user string) (*session.Session, error) {
		s, _ := one.sessions.Open(t.Context(), "")
		return s, one.links.Login(t.Context(), s, user, token)
	}
	var all []*session.Session
	for i := range 64 {
		s, err := as(fmt.Sprint("user ", i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if _, err := as("one more"); err == nil {
		t.Error("a subject has no end of users")
	}
	if _, err := as("user 7"); err != nil {
		t.Errorf("a user who is known: %v", err)
	}
	two.logsOut(p.logoutToken(t, "sub 1", ""))
	for _, s := range all {
		if err := s.Reload(t.Context()); !errors.Is(err, session.ErrEnded) {
			t.Errorf("Reload = %v, want ErrEnded", err)
		}
	}
}

func TestASignInCostsWhatItsDocumentationSays(t *testing.T) {
	p, store := newProvider(t), newStepped()
	n := newNode(t, p, store, oidcsession.Options{})
	store.on.Store(true)
	if _, err := n.login(nil); err != nil {
		t.Fatal(err)
	}
	if got := store.calls.Load(); got != 4+2+1 {
		t.Errorf("%d calls of the store, want four loads, two saves, and one for the session", got)
	}
}

func TestASignInWhoseSessionEndsMeanwhileBeginsAFreshOne(t *testing.T) {
	p, one, two := pair(t)
	phone := newBrowser(t)
	phone.signIn(one, "ada", "sid 1")
	token, _ := one.tokens.Verify(t.Context(), p.idToken(t, "ada", "sid 2", nil))
	mux := http.NewServeMux()
	mux.Handle("/", one.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		two.logsOut(p.logoutToken(t, "", "sid 1"))
		if err := one.links.Login(r.Context(), s, "ada", token); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
		}
	}))
	one.Config.Handler = withMe{mux, one.mux()}
	if status, body := phone.post(one, "/", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	phone.is(two, "ada|")
}

// withMe is a handler before those of a node.
type withMe struct{ first, rest http.Handler }

func (h withMe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		h.first.ServeHTTP(w, r)
		return
	}
	h.rest.ServeHTTP(w, r)
}

func TestWrongOptionsAreRefusedByName(t *testing.T) {
	p, one, _ := pair(t)
	about := discover(t, p)
	store := memstore.New(memstore.Options{})
	cookies, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	carried, err := session.New(cookies, session.Options{Secrets: []session.Secret{secret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = carried.Close() })
	bounded := memstore.New(memstore.Options{MaxSessions: 10})
	byHand := (&oidc.ProviderConfig{IssuerURL: p.URL, JWKSURL: p.URL}).NewProvider(context.Background())
	for name, row := range map[string]struct {
		m      *session.Manager
		store  session.Store
		about  *oidc.Provider
		client string
		opts   oidcsession.Options
	}{
		"manager":      {nil, store, about, clientID, oidcsession.Options{}},
		"provider":     {one.sessions, store, nil, clientID, oidcsession.Options{}},
		"client":       {one.sessions, store, about, "", oidcsession.Options{}},
		"store":        {one.sessions, nil, about, clientID, oidcsession.Options{}},
		"MaxSessions":  {one.sessions, bounded, about, clientID, oidcsession.Options{}},
		"list":         {carried, store, about, clientID, oidcsession.Options{}},
		"NewProvider":  {one.sessions, store, byHand, clientID, oidcsession.Options{}},
		"MaxAge":       {one.sessions, store, about, clientID, oidcsession.Options{MaxAge: -1}},
		"SignInWithin": {one.sessions, store, about, clientID, oidcsession.Options{SignInWithin: 1}},
		"LinkFor":      {one.sessions, store, about, clientID, oidcsession.Options{LinkFor: 1<<63 - 1}},
		"Algorithms":   {one.sessions, store, about, clientID, oidcsession.Options{Algorithms: []string{"HS256"}}},
	} {
		_, err := oidcsession.New(row.m, row.store, row.about, row.client, row.opts)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New = %v, want an error that names %s", err, name)
		}
	}
	for name, from := range map[string]oidcsession.Transmitter{
		"Algorithms": {Algorithms: []string{"none"}}, "KeysURL": {KeysURL: "id.example.com/keys"},
		"Transmitter.KeysURL": {KeysURL: "file:///etc/keys"},
	} {
		if _, err := one.links.Receiver(from); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Receiver = %v, want an error that names %s", err, name)
		}
	}
}

func TestTheAlgorithmsThatAreRegisteredAreTheOnlyOnes(t *testing.T) {
	p := newProvider(t)
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{Algorithms: []string{"ES256"}})
	if status, _ := n.logout(p.logoutToken(t, "ada", "")); status != http.StatusBadRequest {
		t.Errorf("by RS256: %d, want 400", status)
	}
	p.rotate(t)
	n.logsOut(p.logoutToken(t, "ada", ""))
}
