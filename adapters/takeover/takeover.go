package takeover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coatcheck/session"
)

// Options says what becomes of old sessions.
type Options struct {
	// User returns who is signed in according to the values of an old session, "" for nobody. It must be set.
	User func(values map[string]any) string
	// Change changes what is taken over, after User was called: it can rename and remove keys, and convert values of
	// the site's own types. Other values are stored as Session.Set stores them. nil: nothing changes. It may run more
	// than once for a session.
	Change func(old *Old)
	// Lasts is the longest that an old session can live; one whose deadline is unknown gets it as its deadline. 0: what
	// Source.Cookie says. It shortens no session whose deadline is known. Of one that Gorilla finds it counts from when
	// the site saved it last. What has moved, and RevokeUser, are remembered for Lasts or for what Source.Cookie says,
	// whichever is longer.
	Lasts time.Duration
	// Gone reports whether an error of the old library says that a session is gone: such a cookie is nobody's. All
	// other errors are an outage, which is answered with 503. Use errors.Is, for the error may be wrapped. nil: only
	// the source knows, see Gorilla.
	Gone func(err error) bool
}

// Takeover takes over the sessions of one source. It is safe for concurrent use.
type Takeover struct {
	manager *session.Manager
	source  Source
	opts    Options
	cookie  string
	longest time.Duration // that an old session can live, whoever says so
}

// New returns a take-over. The store of the manager must keep what it is given: New refuses a cookiestore, a nullstore
// and a bounded memstore with an error that wraps session.ErrNotSupported. The cookies of the two must have different
// names.
func New(m *session.Manager, source Source, opts Options) (*Takeover, error) {
	switch {
	case m == nil:
		return nil, errors.New("takeover: the manager is nil")
	case source == nil:
		return nil, errors.New("takeover: the source is nil; use SCS or Gorilla")
	case opts.User == nil:
		return nil, errors.New("takeover: Options.User: say who is signed in by the values of an old session")
	case opts.Lasts != 0 && opts.Lasts < time.Second:
		return nil, fmt.Errorf("takeover: Options.Lasts: %v; it must be a second or more, or 0 for what the source "+
			"says", opts.Lasts)
	}
	cookie, lasts := source.Cookie()
	t := &Takeover{manager: m, source: source, opts: opts, cookie: cookie, longest: max(lasts, opts.Lasts)}
	if opts.Lasts == 0 {
		t.opts.Lasts = lasts
	}
	if err := m.AllowTakeOver(cookie, t.longest); err != nil {
		return nil, fmt.Errorf("takeover: %w", err)
	}
	return t, nil
}

// Middleware goes around Middleware or Preload of the manager. It does no I/O by itself. If the old library fails, so
// does the load of the session, with an error that wraps session.ErrUnavailable.
func (t *Takeover) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.CookiesNamed(t.cookie)) == 1 { // of two one may be planted, and neither is believed
			old := r
			r = t.manager.Fallback(old, func(ctx context.Context) (string, error) { return t.find(ctx, old) },
				t.source.Expire)
			defer handBack(old, r)
		}
		next.ServeHTTP(w, r)
	})
}

// handBack gives a request what was made of an upload in a copy of it: the server removes the files of the request that
// it knows, and of no copy.
func handBack(r, own *http.Request) {
	if r.MultipartForm == nil && own.MultipartForm != nil {
		r.MultipartForm = own.MultipartForm
	}
}

// find returns the ticket of the session that has taken over the one of the request. The old cookie goes with the
// response that has the ticket, and with no other: in another tab its visitor may have signed in at a node with the old
// code.
func (t *Takeover) find(ctx context.Context, r *http.Request) (string, error) {
	entry, err := t.source.Find(r.WithContext(ctx))
	switch {
	case t.isGone(err):
		return "", nil
	case err != nil:
		return "", outage(err)
	}
	ticket, err := t.take(ctx, entry, r)
	if errors.Is(err, session.ErrTooMany) {
		t.report(ctx, session.EventRefused, "", err)
		return "", nil
	}
	return ticket, err
}

func (t *Takeover) take(ctx context.Context, entry Entry, r *http.Request) (string, error) {
	return t.manager.TakeOver(ctx, session.Foreign{
		Token:   entry.Token,
		Request: r,
		Fill:    func(ctx context.Context, s *session.Session) (bool, error) { return t.fill(ctx, entry, s) },
		End: func(ctx context.Context) error {
			if err := entry.End(ctx); err != nil && !t.isGone(err) {
				return outage(err)
			}
			return nil
		},
	})
}

func (t *Takeover) isGone(err error) bool {
	return err != nil && t.opts.Gone != nil && t.opts.Gone(err)
}

// outage is an error of the old library as the manager knows one.
func outage(err error) error { return fmt.Errorf("%w: takeover: %w", session.ErrUnavailable, err) }

func (t *Takeover) report(ctx context.Context, kind session.EventKind, user string, err error) {
	t.manager.Report(ctx, session.Event{Kind: kind, User: user, Err: fmt.Errorf("takeover: %w", err)})
}
