package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session/internal/bounded"
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/respond"
	"github.com/coatcheck/session/internal/wire"
)

// Manager holds the policy: tickets, clocks, cookies, merging. It is safe for concurrent use, and several managers,
// in one process or many, may work on one backend.
type Manager struct {
	store       Store
	opts        Options
	keeper      *keeper
	sweeper     Sweeper // nil: the store cannot sweep
	local       bool    // the store waits for nothing
	keys        atomic.Pointer[keys.Ring]
	source      keys.Rotation
	transport   Transport
	formerNames []string // of the cookie, if that is the transport
	screen      atomic.Pointer[screen]

	warnedOfPlainHTTP sync.Once
	stopEvicted       func()
	closing           sync.Once
}

// New returns a manager that keeps its sessions in the store. Every wrong option is an error here, which names it,
// and never a surprise later. New does no I/O, but for asking Options.SecretSource. Unless Options.SweepEvery is Never
// it starts a sweeper; Close stops it.
func New(store Store, opts Options) (*Manager, error) {
	resolved, err := opts.resolve()
	if isNil(store) {
		err = errors.Join(errors.New("the store is nil"), err)
	}
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	m := &Manager{store: store, opts: resolved}
	m.opts.Cookie = resolved.Cookie.resolve()
	m.transport = resolved.Transport
	if isNil(m.transport) {
		m.transport = cookieTransport{}
	}
	if _, ok := m.cookie(); ok {
		m.setCookie(cookieTransport{m.opts.Cookie, wire.NewPieces(m.opts.Cookie.Name, 0)})
		m.formerNames = m.opts.Cookie.FormerNames
	}
	m.keeper = newKeeper(store, m.rules())
	if err := m.findAbilities(); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if c, ok := store.(carrier); ok {
		m.carryRecords(c)
	}
	if err := m.watchSecrets(); err != nil {
		m.stopEvicted()
		return nil, fmt.Errorf("session: %w", err)
	}
	m.startSweeper()
	return m, nil
}

// findAbilities looks once for what the store can do beyond the contract.
func (m *Manager) findAbilities() error {
	m.sweeper, _ = m.store.(Sweeper)
	if err := m.findLimiter(); err != nil {
		return err
	}
	if l, ok := m.store.(interface{ Local() bool }); ok {
		m.local = l.Local()
	}
	m.stopEvicted = func() {}
	if e, ok := m.store.(Evicter); ok {
		m.stopEvicted = e.OnEvict(func(id, user string) {
			m.keeper.ended(id)
			m.emit(context.Background(), Event{Kind: EventEvicted, ID: id, User: user})
		})
	}
	return nil
}

// carryRecords leaves the records to the clients.
func (m *Manager) carryRecords(c carrier) {
	cookies, retired := c.Carries()
	cookies = min(max(cookies, 1), wire.MaxPieces)
	room := cookies * wire.MaxCookieSize
	if t, ok := m.cookie(); ok {
		t.pieces = wire.NewPieces(t.Cookie.Name, cookies)
		m.setCookie(t)
		room = t.pieces.Room()
	}
	m.sweeper, _ = retired.(Sweeper)
	m.keeper.records = newCarried(m.keeper, c, retired != nil, room)
}

func (m *Manager) findLimiter() error {
	if m.opts.MaxPerUser == 0 {
		return nil
	}
	if !m.keeper.canLimit() {
		return fmt.Errorf("MaxPerUser: %w: %T cannot limit the sessions of a user", ErrNotSupported, m.store)
	}
	return nil
}

// rules are the options by which sessions live.
func (m *Manager) rules() rules {
	o := m.opts
	return rules{
		data: data.Rules{Codec: o.Codec, MaxBytes: o.MaxBytes},
		now:  m.now,
		idle: o.IdleTimeout, lifetime: o.Lifetime,
		renewEvery: o.RenewEvery, renewGrace: o.RenewGrace, touchEvery: o.TouchEvery, watchEvery: o.WatchEvery,
		maxPerUser: o.MaxPerUser, refuseNew: o.Overflow == RefuseNew, persistent: o.Cookie.Persistent,
		ring: m.ring, names: m.names(),
		sealing: o.Seal, requireSealed: o.RequireSealed,
		storeType: fmt.Sprintf("%T", m.store), logger: o.Logger, tell: m.emit, explain: dataError,
	}
}

func (m *Manager) ring() keys.Ring { return *m.keys.Load() }

// now is the manager's clock at the precision that stores keep.
func (m *Manager) now() time.Time { return m.opts.Now().UTC().Truncate(time.Microsecond) }

// Close stops what the manager does by itself, and waits for it. The store stays open. Close may be called more than
// once, and the manager still serves afterwards.
func (m *Manager) Close() error {
	m.closing.Do(func() {
		m.stopEvicted()
		m.keeper.close()
	})
	return nil
}

// Load returns this manager's session of the request. The first call of a request verifies the ticket and asks the
// store once; later calls are free. A request without a live session gets an empty one, which is stored only when data
// are set or somebody signs in. The error is ErrNoMiddleware, or wraps ErrUnavailable.
func (m *Manager) Load(ctx context.Context) (*Session, error) {
	if ex, ok := ctx.Value(exchangeKey{m}).(*exchange); ok {
		return ex.load(ctx)
	}
	return nil, ErrNoMiddleware
}

// Load returns the session of the innermost manager around the request, as Manager.Load does.
func Load(ctx context.Context) (*Session, error) {
	if ex, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return ex.load(ctx)
	}
	return nil, ErrNoMiddleware
}

// Open returns the session of a ticket without HTTP, for gRPC, WebSocket frames and jobs. Call Save to store what
// changes, and Token for the ticket, which may be new. "" begins a session; a bad ticket gives an empty one. The error
// wraps ErrUnavailable.
func (m *Manager) Open(ctx context.Context, token string) (*Session, error) {
	return m.open(ctx, m.newSession(ctx, nil), token)
}

// OpenFor is Open for a request that no middleware of this manager is around, as in an adapter of another library:
// lists of sessions show its client. Whoever calls it sends the ticket.
func (m *Manager) OpenFor(r *http.Request, token string) (*Session, error) {
	ctx := bounded.Within(r.Context(), storeTimeout) // as around a handler, for a server that hangs
	defer ctx.End()
	s := m.newSession(r.Context(), nil)
	s.request = r
	s, err := m.open(ctx, s, token)
	if err != nil {
		return nil, err
	}
	_, events := s.screened(r)
	m.emit(ctx, events...)
	return s, nil
}

func (m *Manager) open(ctx context.Context, s *Session, token string) (*Session, error) {
	events, err := s.find(ctx, token, nil)
	m.emit(ctx, events...)
	if err != nil {
		return nil, outward(err)
	}
	return s, nil
}

// Middleware gives the handler a session that it loads when it wants to, with Load. It does no I/O by itself, and
// commits the session before the first byte of the response leaves. A handler that panics commits nothing; a recoverer
// must therefore stand outside, and so must what answers in the handler's place, such as http.TimeoutHandler, stand
// inside.
//
// To use it twice around a handler is harmless. A request within a request that brings a ticket of its own, as those of
// a batch do, has the session of that ticket.
func (m *Manager) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer, nested := r.Context().Value(exchangeKey{m}).(*exchange)
		switch {
		case nested && !outer.isOther(r):
			next.ServeHTTP(w, r)
			return
		case m.skips(r):
			next.ServeHTTP(w, withoutInnermost(r))
			return
		}
		ex := &exchange{Context: r.Context(), m: m, r: r, encoding: w.Header()["Content-Encoding"]}
		ex.out = respond.Writer{W: w, Gate: ex}
		defer ex.endAbort()
		next.ServeHTTP(respond.ForHandler(&ex.out), r.WithContext(ex))
		ex.finish()
	})
}

// HandlerFunc is Middleware around a handler that is given its session. When the session cannot be loaded,
// Options.OnError answers, and fn does not run. A request that Options.Skip names gets an empty session that is never
// stored.
func (m *Manager) HandlerFunc(fn func(http.ResponseWriter, *http.Request, *Session)) http.Handler {
	return m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := m.Load(r.Context())
		switch {
		case errors.Is(err, ErrNoMiddleware):
			s = m.newSession(r.Context(), nil)
			s.draft.Discard()
		case err != nil:
			m.Fail(w, r, err)
			return
		}
		fn(w, r, s)
	}))
}

// Now is the time by Options.Now, at the precision that sessions keep. Middleware that compares it with the times of a
// session should not read another clock.
func (m *Manager) Now() time.Time { return m.now() }

// Fail answers a request as Options.OnError would, and logs the error: for middleware on top of a session that cannot
// go on. Nothing of the response must have been sent.
func (m *Manager) Fail(w http.ResponseWriter, r *http.Request, err error) {
	m.fail(w, r, err, w.Header()["Content-Encoding"]) // of a writer around this one, for no handler has answered
}

func (m *Manager) skips(r *http.Request) bool { return m.opts.Skip != nil && m.opts.Skip(r) }

// Format prints nothing of the options, among which are secrets.
func (m *Manager) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session manager") }

// LogValue logs nothing of the options, among which are secrets.
func (m *Manager) LogValue() slog.Value { return slog.StringValue("session manager") }
