package gorillastore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
)

// Options says how a store works. The zero value is good.
type Options struct {
	// Cookie is the Options of new sessions. nil: Path "/", 30 days, Secure, HttpOnly and SameSite=Lax.
	Cookie *sessions.Options
	// Name names one gorilla session that is the manager's own: below Middleware or Preload of the manager it is the
	// session of the request, and the middleware sends its cookie, with the name and attributes of the manager's
	// cookie. So it is shared with pages that were rewritten for Coatcheck, and package takeover brings along people
	// who were signed in. Outside of the middleware, and where Options.Skip of the manager says that a request has no
	// session, Get and Save return an error that wraps session.ErrNoMiddleware; with gin-contrib/sessions that is also
	// so where its middleware stands outside. "": none.
	Name string
	// User returns who is signed in according to the values of a session, "" for nobody. It is asked about sessions of
	// every name, and somebody whose second factor is still due is nobody yet. When the handler changes the answer,
	// Save signs the user in or out: the session gets another id, and Manager.RevokeUser and MaxPerUser know whose it
	// is. Whoever a page has signed in by Login, without setting the values, stays signed in until such a change or a
	// Logout; a negative MaxAge is one. nil: nobody is signed in, unless the handler calls Login of the session that Of
	// returns.
	User func(values map[any]any) string
}

// Store keeps the sessions of gorilla. It is safe for concurrent use; a gorilla session is not.
type Store struct {
	// Options is that of new sessions. Set it before the first request.
	Options *sessions.Options

	manager *session.Manager
	name    string
	user    func(map[any]any) string
}

var _ sessions.Store = (*Store)(nil)

// New returns a store on a manager, which the caller closes. The tickets are in the cookies that gorilla names,
// whatever the transport of the manager, and each is sealed for its name: no other session, and no page of the manager,
// takes it for its own. Only a session that is named like the cookie of the manager is that cookie's.
func New(m *session.Manager, opts Options) (*Store, error) {
	if m == nil {
		return nil, errors.New("gorillastore: the manager is nil")
	}
	cookie := sessions.Options{Path: "/", MaxAge: 30 * 24 * 60 * 60, Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode}
	if opts.Cookie != nil {
		cookie = *opts.Cookie
	}
	return &Store{Options: &cookie, manager: m, name: opts.Name, user: opts.User}, nil
}

// MaxAge sets the seconds that new sessions last unused, as with the stores of gorilla. Call it before the first
// request.
func (st *Store) MaxAge(seconds int) { st.Options.MaxAge = seconds }

// Of returns the session of the manager that is behind a gorilla session, for Login, Logout, Atomic and whatever else
// gorilla does not have. Save of the gorilla session stores what is done to it. It is never nil. For a session that
// could not be loaded it is an empty one whose Err says why, and wraps session.ErrUnavailable during an outage; for one
// of another store it is an empty one whose Err is session.ErrNoMiddleware.
func Of(s *sessions.Session) *session.Session {
	if s != nil {
		if o, ok := s.Store().(*owned); ok && o.kept != nil {
			return o.kept.session
		}
	}
	return session.From(context.Background())
}

// Get returns the session of that name, which is loaded once for a request.
func (st *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	o := st.ownedBy(r, name)
	o.request = r // gorilla gives New the one that the first session of the request was asked for with
	return sessions.GetRegistry(r).Get(o, name)
}

// New loads the session that the cookie of the request names. It never returns nil. Without a live session, and with an
// error, it is an empty one; the error wraps session.ErrUnavailable, and Save of such a session returns it again, so
// that it does not replace the stored session.
func (st *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	return (&owned{Store: st}).New(r, name)
}

// Save stores what changed since the session was loaded. If another request has changed other keys, both changes stay.
// A session without values and without a user is not stored. A negative Options.MaxAge ends the session and deletes the
// cookie.
//
// The cookie is sent when it is another one, or lasts longer. One that the browser has already could replace what a
// sign-in in another tab has sent. So set Options of a session where they are to change: a page that gives it others
// than those of the store sends the cookie with each Save.
//
// The error wraps those of [session.Session.Save]; then nothing was stored, and the cookie is left alone. With a
// cookiestore one of them comes later: that the cookie of gorilla is too large is known when the session is made. It is
// left alone then, too, and is still good, unless this save gave the session another id and the cookiestore has
// Revocations: the visitor then has to begin anew.
func (st *Store) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	o, ok := s.Store().(*owned)
	if !ok || o.manager != st.manager { // it was made by hand, so it is a new one
		o = st.ownedBy(r, s)
	}
	return o.Save(r, w, s)
}

// owned is the store as one gorilla session knows it: there is no other place for what belongs to that.
type owned struct {
	*Store
	request *http.Request // that asked for it; nil: the one that New is given
	kept    *kept         // nil: it was not loaded
}

func (o *owned) New(r *http.Request, name string) (*sessions.Session, error) {
	if o.request != nil {
		r = o.request
	}
	s, opts := sessions.NewSession(o, name), *o.Options
	s.Options, s.IsNew = &opts, true
	if o.load(r, name, o.ticketOf(r, name)); o.kept.failed != nil {
		return s, o.kept.failed
	}
	o.kept.read(s)
	return s, nil
}

func (o *owned) load(r *http.Request, name, ticket string) {
	s, sent, err := o.open(r, name, ticket)
	if err != nil {
		err = fmt.Errorf("gorillastore: %w", err)
		s = o.manager.FailedSession(err)
	}
	o.kept = &kept{session: s, failed: err, sent: sent, asked: ticket}
	if err == nil {
		o.kept.expires = s.ExpiresAt()
	}
}

// open returns a session, and whether the middleware sends its ticket. The session of Options.Name would be another one
// outside of the middleware, unless the manager reads the cookie.
func (o *owned) open(r *http.Request, name, ticket string) (s *session.Session, sent bool, err error) {
	if name != "" && name == o.name {
		s, err = o.manager.Load(r.Context())
		if err == nil || !errors.Is(err, session.ErrNoMiddleware) {
			return s, true, err
		}
		if !o.isManagers(name) {
			return nil, true, fmt.Errorf("the session %q, that of Options.Name: %w", name, err)
		}
	}
	s, err = o.manager.OpenFor(r, ticket)
	return s, false, err
}

func (o *owned) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if o.kept == nil {
		o.load(r, s.Name(), "")
	}
	if o.kept.failed != nil {
		return o.kept.failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
	defer cancel()
	if err := o.change(ctx, s); err != nil {
		return fmt.Errorf("gorillastore: %w", err)
	}
	if err := o.kept.session.Save(ctx); err != nil {
		return fmt.Errorf("gorillastore: %w", err)
	}
	return o.send(w, s)
}

// change does to the session of the manager what was done to that of gorilla.
func (o *owned) change(ctx context.Context, s *sessions.Session) error {
	k := o.kept
	if s.Options.MaxAge < 0 {
		k.session.Logout()
		k.values = nil
		return nil
	}
	encoded, err := encodeAll(s.Values)
	if err != nil {
		return err
	}
	if o.user != nil {
		before, user := o.user(k.values), o.user(s.Values)
		if user == before && user != "" && k.isNobodys() {
			return o.signInLate(ctx, s, encoded, user)
		}
		if err := k.identify(before, user); err != nil {
			return err
		}
	}
	k.values = o.write(k.session, s, encoded)
	return nil
}

// signInLate signs in the user whom the values have named all along. The sign-in is none of this request's, so it is
// done only while the session is there, is nobody's, and has values that name the user: another request may have signed
// out. Nothing is stored without it, for whoever gets no new cookie keeps the old one. Where the session has ended or
// moved meanwhile, a request that changed no value has lost nothing.
func (o *owned) signInLate(ctx context.Context, s *sessions.Session, encoded map[any]any, user string) error {
	var values map[any]any
	err := o.kept.session.Atomic(ctx, func(n *session.Session) error {
		if n.User() == "" && o.user(decodeAll(n.All())) == user {
			if err := n.TryLogin(user); err != nil {
				return err
			}
		}
		values = o.write(n, s, encoded)
		return nil
	})
	switch {
	case err == nil:
		o.kept.values = values
	case errors.Is(err, session.ErrEnded) && reflect.DeepEqual(s.Values, o.kept.values):
		o.kept.sent = true // another request has sent the cookie that is good now
		return nil
	}
	return err
}

// write does to the session n what was done to that of gorilla, and returns the values as the next request has them.
func (o *owned) write(n *session.Session, s *sessions.Session, encoded map[any]any) map[any]any {
	o.setClocks(n, s.Options.MaxAge)
	return o.kept.write(n, s.Values, encoded)
}
