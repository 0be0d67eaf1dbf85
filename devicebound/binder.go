package devicebound

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/dbsc"
)

// Binder binds the sessions of one manager to devices. It is safe for concurrent use.
type Binder struct {
	m     *session.Manager
	opts  Options
	offer string // the header of a registration, up to its challenge
}

// New returns a binder for the manager's sessions; a manager has only one. It judges each session that a request loads,
// even in handlers outside Middleware. Manager.Sessions then says which sessions are bound, and Manager.Audit what the
// policy is. A wrong option is an error that names it.
func New(m *session.Manager, opts Options) (*Binder, error) {
	resolved, err := opts.resolve()
	if err = errors.Join(checkManager(m), err); err != nil {
		return nil, fmt.Errorf("devicebound: %w", err)
	}
	b := &Binder{m: m, opts: resolved}
	algorithms := dbsc.ES256
	if b.opts.RSA {
		algorithms += " " + dbsc.RS256
	}
	b.offer = "(" + algorithms + ");path=" + dbsc.Quote(b.opts.RegisterPath) + ";challenge="
	if err := b.setCookie(http.Header{}, &binding{}); err != nil {
		return nil, fmt.Errorf("devicebound: CookieName: %w", err)
	}
	if err := m.Screen(b.screen); err != nil {
		return nil, fmt.Errorf("devicebound: %w", err)
	}
	m.SetBinding(session.Binding{
		Bound:   func(s *session.Session) bool { return StateOf(s) == Bound },
		Finding: b.opts.finding(),
	})
	return b, nil
}

// Middleware serves the two paths of the protocol, and gives next a session as Manager.Middleware does. Put it outside
// that one, and outside everything that could answer a browser's POST to these paths in another way, such as a check of
// form tokens; guard.CSRF lets them pass.
func (b *Binder) Middleware(next http.Handler) http.Handler {
	register, refresh := b.endpoint(b.register), b.endpoint(b.refresh)
	other := b.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.sentBack(w, r) {
			next.ServeHTTP(w, r)
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case b.opts.RegisterPath:
			register.ServeHTTP(w, r)
		case b.opts.RefreshPath:
			refresh.ServeHTTP(w, r)
		default:
			other.ServeHTTP(w, r)
		}
	})
}
