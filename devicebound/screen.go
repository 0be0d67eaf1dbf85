package devicebound

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/dbsc"
)

// screen judges a session that a request has loaded, and sees to what its response says.
func (b *Binder) screen(r *http.Request, s *session.Session) session.Screening {
	v := visit{b: b, s: s, login: s.LoginAt(), user: s.User()}
	came, err := glance(s, v.user, v.login)
	v.bound = came.state == Bound
	var out session.Screening
	if v.user != "" && !b.opts.excludes(r.URL) {
		_, why := b.missing(r, &came, err)
		out = b.judge(why)
	}
	out.Ended = v.ended
	if out.Refuse != nil { // what the response does not end it does not clear away, and any Login is one
		v = visit{b: b, s: s}
	}
	out.Answer = v.answer
	return out
}

// judge says what the policy makes of a session that lacks something.
func (b *Binder) judge(why error) session.Screening {
	var out session.Screening
	switch {
	case errors.Is(why, ErrUnproved):
		out.Event = session.Event{Kind: EventSkipped, Err: why}
		if b.opts.Policy >= Enforce {
			out.Refuse = why
		}
	case errors.Is(why, ErrNotBound) && b.opts.Policy == Require:
		out.Event = session.Event{Kind: session.EventRefused, Err: why}
		out.Refuse = why
	}
	if out.Refuse != nil {
		out.Event.Reason = session.ReasonBinding
	}
	return out
}

// missing says what a signed-in session lacks to be bound and proved, and when it was proved if it lacks nothing. What
// cannot be read may have been a key.
func (b *Binder) missing(r *http.Request, of *binding, err error) (time.Time, error) {
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrUnproved, err)
	}
	switch {
	case of.state == Bound:
		return b.proved(r, of)
	case of.at(b.m.Now()) == Pending:
		return time.Time{}, ErrPending
	}
	return time.Time{}, ErrNotBound
}

// visit is a request with a session, as it came.
type visit struct {
	b     *Binder
	s     *session.Session
	bound bool
	login time.Time
	user  string
}

// answer writes what a response says of the binding of another Login: it offers one, and the cookie of the one before
// goes. A session that is signed in as it was has the binding that it had. One that is over may have ended elsewhere,
// and the browser have the cookie of another.
func (v visit) answer(h http.Header, signsIn bool) {
	login, user := v.s.LoginAt(), v.s.User()
	if !signsIn && login.Equal(v.login) && user == v.user {
		return
	}
	if user != "" {
		v.b.makeOffer(h, v.s, micro(login))
	}
	if v.bound && v.s.ID() != "" {
		v.b.drop(h, v.b.opts.CookieName)
	}
}

// ended takes from the browser what went with a session that this request has ended. A response that begins another
// one comes with its ticket, and "cookies" would take that along: it has dropped the cookie before.
func (v visit) ended(h http.Header) {
	if !v.bound {
		return
	}
	v.b.drop(h, v.b.opts.CookieName)
	if v.b.opts.ClearSiteData && h.Get("Clear-Site-Data") == "" {
		h.Set("Clear-Site-Data", `"cookies", "storage"`)
	}
}

// makeOffer offers the browser a registration, which replaces whatever the session was bound to.
func (b *Binder) makeOffer(h http.Header, s *session.Session, login int64) {
	now := b.m.Now()
	fresh := binding{state: Pending, login: login, until: now.Add(b.opts.PendingFor).UnixMicro()}
	_, _ = rand.Read(fresh.secret[:]) // never fails: crypto/rand ends the program first
	bindingKey.Set(s, fresh.text())
	h.Set(dbsc.Registration, b.offer+dbsc.Quote(fresh.issue(forRegistration, now)))
}
