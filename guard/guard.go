package guard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// Guard makes middleware for the sessions of one manager. It is safe for concurrent use.
type Guard struct {
	m        *session.Manager
	opts     Options
	forms    forms
	programs bool // whoever is new gets a ticket in a header, which no browser sends by itself

	signIns      signIns
	deviceCookie http.Cookie

	mu       sync.Mutex
	memories map[string]*memory // the counts of strangers that no store keeps, by the name of their limit
	claims   map[string]claim   // the limits that count strangers
}

// Options are shared by the guards of a site. The zero value is valid.
type Options struct {
	// LoginPage is the local path to which browsers are sent if nobody is signed in; ReturnPath finds the way back
	// afterwards. "": they get a page with status 401.
	LoginPage string

	// ReloginPage is where Fresh sends people who signed in too long ago. It must ask for the password again, and call
	// Login. "": LoginPage.
	ReloginPage string

	// ConfirmPage is the local path of the page on which people show a factor again, for Fresh with factors and for
	// Once. It must check the factor and call Session.Confirm, or Guard.Confirm for an operation. "": ReloginPage.
	ConfirmPage string

	// Roles and Permissions look up what a user has, at every request. nil: what the keys Roles and Permissions hold in
	// the session.
	Roles, Permissions Lookup

	// CrossOrigin is the first check of CSRF, with its bypass patterns and trusted origins. nil: one without any.
	CrossOrigin *http.CrossOriginProtection

	// Proof stands between Fresh and what it guards, and may ask for more than a recent sign-in: with package
	// devicebound, Binder.Prove(time.Minute) asks for the key of the device. nil: nothing more is asked.
	Proof func(http.Handler) http.Handler

	// SignIn has the numbers of the method SignIn. The zero value is good.
	SignIn SignInLimits

	// IPv4Prefix and IPv6Prefix are how many bits of an address Address looks at: addresses that share them are one
	// visitor. 0: 32 and 64, because a customer of an IPv6 network has at least a /64 to choose addresses from.
	IPv4Prefix, IPv6Prefix int

	// Refuse answers a request that is not let through. nil: the answer that the package comment describes.
	Refuse func(http.ResponseWriter, *http.Request, Refusal)

	// EndWithin is how recent a sign-in must be for the page of Sessions to end a session other than its own (ASVS
	// 7.5.2). Users with an older one get the answer of Fresh. 0: 10 minutes if there is a ReloginPage or a LoginPage;
	// otherwise any sign-in will do, because there is no page to sign in again. session.Never: any sign-in will do.
	EndWithin time.Duration

	// Place says where an address is, such as "Graz, Austria", for the page of Sessions. It is called for each session
	// of the list and should be fast. nil or "": the page shows the address alone.
	Place func(netip.Addr) string

	// Words returns the texts of the page of Sessions in the language of the request. nil: English.
	Words func(*http.Request) Words

	// ShowSessions writes the page of Sessions in the site's own design, and sets its headers. nil: the page of this
	// package.
	ShowSessions func(http.ResponseWriter, *http.Request, SessionsPage)
}

// endWithin is Options.EndWithin when a site does not choose.
const endWithin = 10 * time.Minute

// New returns a guard for the manager's sessions. A wrong option is an error that names it.
func New(m *session.Manager, opts Options) (*Guard, error) {
	if m == nil {
		return nil, errors.New("guard: the manager is nil")
	}
	for name, page := range map[string]string{
		"LoginPage": opts.LoginPage, "ReloginPage": opts.ReloginPage, "ConfirmPage": opts.ConfirmPage,
	} {
		if page != "" && !LocalPath(page) {
			return nil, fmt.Errorf("guard: Options.%s must be a path of this site that begins with one slash", name)
		}
	}
	opts.ReloginPage = cmp.Or(opts.ReloginPage, opts.LoginPage)
	opts.ConfirmPage = cmp.Or(opts.ConfirmPage, opts.ReloginPage)
	if err := opts.resolveEndWithin(); err != nil {
		return nil, err
	}
	if err := opts.resolveLimits(); err != nil {
		return nil, err
	}
	if opts.CrossOrigin == nil {
		opts.CrossOrigin = http.NewCrossOriginProtection()
	}
	forms, err := newForms(m)
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(m.VaryOn(), ",")
	programs := !strings.Contains(strings.ToLower(first), "cookie")
	g := &Guard{m: m, opts: opts, forms: forms, programs: programs,
		memories: map[string]*memory{}, claims: map[string]claim{}}
	g.signIns, g.deviceCookie = g.newSignIns(), g.newDeviceCookie()
	return g, nil
}

func (o *Options) resolveEndWithin() error {
	switch {
	case o.EndWithin < 0 && o.EndWithin != session.Never:
		return errors.New("guard: Options.EndWithin: it must not be negative; say session.Never to ask nobody")
	case o.EndWithin == 0 && o.ReloginPage != "":
		o.EndWithin = endWithin
	case o.EndWithin == 0:
		o.EndWithin = session.Never
	}
	return nil
}

// check says why a request is not let through; a Refusal without a Status lets it through. An error is the manager's to
// answer.
type check func(*http.Request, *session.Session) (Refusal, error)

func (g *Guard) check(next http.Handler, ok check) http.Handler {
	return g.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		no, err := ok(r, s)
		switch {
		case err != nil:
			g.m.Fail(w, r, err)
		case no.Status != 0:
			g.refuse(w, r, no)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// wrong refuses every request because of an error of the program, since there is nobody to return it to. A guard that
// cannot do what it is for must not let anybody through, and must not wait with saying so for a request that it would
// stop.
func (g *Guard) wrong(err error) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.m.Fail(w, r, err) })
	}
}

// User lets signed-in users through. Others get 401, or are sent to Options.LoginPage.
func (g *Guard) User(next http.Handler) http.Handler { return g.check(next, g.signedIn) }

func (g *Guard) signedIn(r *http.Request, s *session.Session) (Refusal, error) {
	if s.User() != "" {
		return Refusal{}, nil
	}
	text := "Please sign in first."
	if s.Expired() {
		text = "Your session has ended. Please sign in again."
	}
	return Refusal{Reason: NoUser, Status: http.StatusUnauthorized, Text: text, Login: withReturn(g.opts.LoginPage, r)},
		nil
}

// clockSkew is how far the clocks of two nodes may be apart. A sign-in further in the future is none that Fresh
// believes.
const clockSkew = time.Minute

// Fresh lets users through who signed in at most d ago. Put it around what a thief must not be able to do with a stolen
// session, such as changing the password or paying. Others get 401, or are sent to Options.ReloginPage, where a Login
// restarts the time. People who are not signed in get the answer of User. Options.Proof may ask for more. d must be
// above 0, and each factor one that session.Factor takes; otherwise the manager's Options.OnError answers each request.
//
// With factors, it lets users through who have shown one of them at most d ago, by session.Factor at the Login or by
// Session.Confirm, and sends the others to Options.ConfirmPage. A 401 says what would do, in the terms of RFC 9470.
func (g *Guard) Fresh(d time.Duration, factors ...string) func(http.Handler) http.Handler {
	if d <= 0 {
		return g.wrong(errors.New("guard: Fresh: the time must be above 0, such as 10*time.Minute"))
	}
	if err := g.checkFactors(factors); err != nil {
		return g.wrong(fmt.Errorf("guard: Fresh: nobody can show such a factor: %w", err))
	}
	factors = slices.Clone(factors)
	return func(next http.Handler) http.Handler {
		if g.opts.Proof != nil {
			next = g.opts.Proof(next)
		}
		return g.check(next, func(r *http.Request, s *session.Session) (Refusal, error) {
			if no, _ := g.signedIn(r, s); no.Status != 0 {
				return no, nil
			}
			if g.recent(s, d, factors...) {
				return Refusal{}, nil
			}
			return g.notFresh(r, d, factors), nil
		})
	}
}

// checkFactors refuses names that no session can have. It asks one that is never stored.
func (g *Guard) checkFactors(names []string) error {
	for _, name := range names {
		nobody, err := g.m.Open(context.Background(), "")
		if err == nil {
			err = nobody.TryLogin("nobody", session.Factor(name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recent reports whether the user signed in at most d ago, or has shown one of the factors, if there are any.
func (g *Guard) recent(s *session.Session, d time.Duration, factors ...string) bool {
	if len(factors) == 0 {
		return g.within(s.LoginAt(), d)
	}
	return slices.ContainsFunc(factors, func(name string) bool { return g.within(s.FactorAt(name), d) })
}

func (g *Guard) within(at time.Time, d time.Duration) bool {
	age := g.m.Now().Sub(at)
	return !at.IsZero() && age <= d && age >= -clockSkew
}

func (g *Guard) notFresh(r *http.Request, d time.Duration, factors []string) Refusal {
	no := notFresh(withReturn(g.opts.ReloginPage, r), d)
	if len(factors) > 0 {
		no.Text, no.Login, no.Factors = "Please confirm that it is you.", withReturn(g.opts.ConfirmPage, r), factors
	}
	return no
}

func notFresh(login string, d time.Duration) Refusal {
	return Refusal{Reason: NotFresh, Status: http.StatusUnauthorized,
		Text: "Please sign in again to confirm that it is you.", Login: login, MaxAge: d}
}
