package guard

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/coatcheck/session"
)

// SignIn limits how often people may try to sign in. Put it around the handler of the form:
//
//	signIn := g.SignIn(func(r *http.Request) string { return strings.ToLower(r.PostFormValue("user")) })
//	mux.Handle("POST /login", signIn(sessions.HandlerFunc(login)))
//
// The function returns the account that the request tries to sign in to, whether or not it exists. As with Account, it
// may read the body, a form or JSON of up to 1 MiB, and the handler reads the body again. The account must be the one
// whose password the handler checks: where people who are signed in confirm who they are, that is the user of the
// session, whatever the form says. An attempt is counted for its account and its address before the handler runs, so
// that parallel guesses are counted, too. If the handler calls Login, TryLogin or Confirm, and drops that neither by
// Reload nor by Logout, the attempt is given back; all others have failed. Where the password is only the first step,
// both handlers belong behind SignIn, with the same account, and the first one calls StepDone.
//
// Options.SignIn has the numbers: after ten failures at an account the next attempt has to wait a minute, and each
// further failure doubles the wait. Whoever has to wait gets 429 with Retry-After, and the handler does not run. No
// part of an answer depends on whether the account exists.
//
// Strangers cannot lock people out of their accounts on devices that they use. A sign-in leaves a signed cookie on the
// device, __Host-device, which names no account and opens nothing. With the cookie, attempts at the same account have a
// limit of their own, which a sign-in resets and no stranger can use up, not even with a page of another site that
// makes the browser send attempts: those count as a stranger's. In frames of other sites the cookie is sent if the
// session's is. An app that has no cookies otherwise must keep this one, or each of its sign-ins is one on a new
// device. The first sign-in on a device is reported as the event "newdevice" when it is stored, and a refused attempt
// as "refused". On a new device people have to wait as long as strangers keep trying their account; KnowDevice helps
// people who have a link for a forgotten password. A device is new again when the browser has lost its cookies, as
// after each logout with session.Options.ClearOnLogout.
//
// GET, HEAD and OPTIONS pass uncounted, unless they name an account. Other requests that name none are counted by their
// address alone. So let the function always return "" where nobody knows beforehand who signs in, as with a passkey or
// at an identity provider: a device that is new to its user is reported as well, but its cookie gives it no limit of
// its own. If the store of the counts fails, the answer is a 503, so nobody can guess meanwhile.
func (g *Guard) SignIn(account func(*http.Request) string) func(http.Handler) http.Handler {
	if account == nil {
		return g.wrong(errors.New("guard: SignIn: give it a function that returns the account which a request tries"))
	}
	return func(next http.Handler) http.Handler {
		return g.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			name, no := named(r, account)
			if no.Status != 0 {
				g.refuse(w, r, no)
				return
			}
			g.attempt(r, s, name).run(w, next)
		})
	}
}

// attempt is one attempt to sign in.
type attempt struct {
	g       *Guard
	r       *http.Request
	s       *session.Session
	account string
	device  device
	known   bool // the device has been signed in to the account
	takes   []take

	stepDone atomic.Bool // what StepDone says
}

// take is a count of an attempt.
type take struct {
	*signInLimit
	at place
	v  verdict
}

func (g *Guard) attempt(r *http.Request, s *session.Session, account string) *attempt {
	a := &attempt{g: g, r: r, s: s, account: account, device: g.deviceOf(r)}
	a.known = account != "" && g.knows(a.device, ofAccount, account)
	add := func(l *signInLimit, key string) {
		a.takes = append(a.takes, take{signInLimit: l, at: g.place(l.name, key)})
	}
	switch {
	case account == "" && safe(r.Method): // the page of the form, or somebody who comes back from another site
	case a.known && !g.fromOtherSite(r):
		add(&g.signIns.device, string(a.device.id[:])+account)
	case account == "":
		add(&g.signIns.address, g.network(r))
	default:
		add(&g.signIns.address, g.network(r))
		add(&g.signIns.account, account)
	}
	return a
}

// run lets the handler try, if every limit allows it. What an address tries counts for it, even if the account refuses.
func (a *attempt) run(w http.ResponseWriter, next http.Handler) {
	for i := range a.takes {
		t := &a.takes[i]
		v, err := a.g.takeIn(a.r, t.in, &t.rule, t.at)
		if err != nil {
			a.g.m.Fail(w, a.r, err)
			return
		}
		if t.v = v; t.own || !v.ok {
			t.tell(w.Header(), v)
		}
		if !v.ok {
			a.refuse(w, t)
			return
		}
	}
	a.s.OnAnswer(a.answer)
	if a.account != "" && !a.known {
		a.s.ReportProof(session.EventNewDevice)
	}
	r := a.r.WithContext(context.WithValue(a.r.Context(), attemptKey{}, a))
	defer handBack(a.r, r)
	next.ServeHTTP(w, r)
	// Not whether somebody is signed in, which other requests bring about, too.
	if proved := a.s.Proved(); proved || a.stepDone.Load() {
		a.giveBack(proved)
	}
}

func (a *attempt) refuse(w http.ResponseWriter, t *take) {
	a.g.m.Report(a.r.Context(), session.Event{Kind: session.EventRefused, Err: t.why})
	a.g.refuse(w, a.r, Refusal{
		Reason: TooMany, Status: http.StatusTooManyRequests,
		Text: "Too many attempts to sign in. Please wait a moment.", RetryAfter: t.v.wait,
	})
}

// answer makes the device known, in the response to a sign-in.
func (a *attempt) answer(h http.Header, _ bool) {
	if !a.s.Proved() {
		return
	}
	of, name := ofAccount, a.account
	if name == "" {
		of, name = ofUser, a.s.User()
		a.tellOf(name)
	}
	_ = a.g.know(h, a.device, of, name) // a device that stays unknown has the limit of strangers
}

// tellOf reports a device that is new to a user whom nothing named before, when the sign-in is stored.
func (a *attempt) tellOf(user string) {
	if !a.g.knows(a.device, ofUser, user) {
		a.s.ReportProof(session.EventNewDevice)
	}
}

type attemptKey struct{}

// StepDone tells SignIn that one step of a sign-in has succeeded and another one follows, such as a right password
// before a code is asked for. The attempt of this request is given back. Guesses at the next step stay counted, even on
// a known device, until somebody is signed in. Without StepDone each sign-in of two steps on a new device leaves a
// failure behind, and people whose browser forgets its cookies would soon have to wait. Call it in the handler, with
// its request. Outside SignIn it does nothing.
func StepDone(r *http.Request) {
	if a, ok := r.Context().Value(attemptKey{}).(*attempt); ok {
		a.stepDone.Store(true)
	}
}

// giveBack undoes what an attempt was charged. After a sign-in the count of a known device begins anew. That of
// strangers does not: they would have another ten guesses each time.
func (a *attempt) giveBack(proved bool) {
	ctx, cancel := bounded(a.r.Context())
	defer cancel()
	for _, t := range a.takes {
		// An error leaves the attempt counted, which will be forgiven like a failure. The response may be out already.
		_ = t.in.change(ctx, t.at.bucket, func(b bucket) (bucket, bool) {
			return t.undo(b, proved && t.signInLimit == &a.g.signIns.device), true
		})
	}
}

// undo takes back one request, or all of them.
func (t *take) undo(b bucket, all bool) bucket {
	if all {
		return b.without(t.at.who)
	}
	for i := range b {
		if b[i].who == t.at.who {
			b[i].full -= t.every
			if b[i].until == t.v.until { // no later attempt has begun another wait
				b[i].until = 0
			}
		}
	}
	return b
}
