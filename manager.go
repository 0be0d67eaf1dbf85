package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session/internal/carried"
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/respond"
	"github.com/coatcheck/session/internal/wire"
)

// Manager holds the policy: tickets, clocks, cookies, merging. It is safe for concurrent use, and several managers,
// in one process or many, may work on one backend.
type Manager struct {
	store       Store
	opts        Options
	keeper      *life.Keeper
	keys        atomic.Pointer[keys.Ring]
	source      keys.Rotation
	transport   Transport
	formerNames []string // of the cookie, if that is the transport
	screen      atomic.Pointer[screen]
	binding     atomic.Pointer[Binding]
	foreign     atomic.Int64 // how many nanoseconds the sessions live that may be taken over; 0: none may

	warnedOfPlainHTTP sync.Once
	stopEvicted       func()
	closing           sync.Once
}

// New returns a manager that keeps its sessions in the store. A wrong option is an error here that names it, never a
// surprise later. New does no I/O, except for asking Options.SecretSource. Unless Options.SweepEvery is Never it starts
// a sweeper; Close stops it.
func New(store Store, opts Options) (*Manager, error) {
	resolved, err := opts.resolve()
	if isNil(store) {
		err = errors.Join(errors.New("the store is nil"), err)
	}
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	m := &Manager{store: store, opts: resolved}
	m.transport = resolved.Transport
	if isNil(m.transport) {
		m.transport = cookieTransport{}
	}
	if _, ok := m.cookie(); ok {
		m.setCookie(newCookieTransport(m.opts.Cookie, wire.NewPieces(m.opts.Cookie.Name, 0)))
		m.formerNames = m.opts.Cookie.FormerNames
	} else if len(m.opts.Cookie.FormerNames) > 0 {
		return nil, errors.New("session: Cookie.FormerNames: no ticket comes in a cookie; leave it out, or add the " +
			"cookie, which is nil, to Transports")
	}
	can, err := m.abilities()
	if err == nil {
		m.keeper = life.New(adapted{store}, can, m.rules())
		err = m.watchSecrets()
	}
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	m.useAbilities()
	if resolved.SweepEvery > 0 {
		m.keeper.SweepEvery(resolved.SweepEvery)
	}
	return m, nil
}

// useAbilities looks once for what else the store can do, and uses it.
func (m *Manager) useAbilities() {
	m.stopEvicted = func() {}
	if e, ok := m.store.(Evicter); ok {
		m.stopEvicted = e.OnEvict(func(id, user string) {
			m.keeper.Evicted(id)
			m.emit(context.Background(), Event{Kind: EventEvicted, ID: id, User: user, Reason: ReasonLimit})
		})
	}
	if c, ok := m.store.(Carrier); ok {
		m.leaveToClients(c)
	}
}

// leaveToClients has the records travel with the clients.
func (m *Manager) leaveToClients(c Carrier) {
	cookies, retired := c.Carries()
	cookies = min(max(cookies, 1), wire.MaxPieces)
	room := cookies * wire.MaxCookieSize
	if t, ok := m.cookie(); ok {
		t.pieces = wire.NewPieces(t.Cookie.Name, cookies)
		m.setCookie(t)
		room = t.pieces.Room()
	}
	m.keeper.Records = carried.New(m.keeper, c, retired != nil, room, cookies*wire.MaxCookieSize)
}

// abilities are what the store can do for a keeper beyond the contract.
func (m *Manager) abilities() (can life.Abilities, err error) {
	can.Toucher, _ = m.store.(Toucher)
	can.Watcher, _ = m.store.(Watcher)
	can.Sweeper, _ = m.store.(Sweeper)
	if c, ok := m.store.(Carrier); ok { // whatever is to be swept is there
		_, retired := c.Carries()
		can.Sweeper, _ = retired.(Sweeper)
	}
	if shares, ok := m.store.(Sharer); ok && shares.Shares(m.store) {
		can.Sharer = adaptedSharer{shares}
	}
	lists, isLister := m.store.(Lister)
	if isLister {
		can.Lister = adaptedLister{lists}
	}
	limits, isLimiter := m.store.(Limiter)
	switch {
	case m.opts.MaxPerUser == 0:
	case isLimiter && isLister:
		can.Limiter = adaptedLimiter{limits}
	default:
		return can, fmt.Errorf("MaxPerUser: %w: %T cannot limit the sessions of a user", ErrNotSupported, m.store)
	}
	if d, ok := m.store.(Discarder); ok {
		can.Discards = d.Discards()
	}
	return can, nil
}

// rules are the options by which sessions live.
func (m *Manager) rules() life.Rules {
	o := m.opts
	local, _ := m.store.(LocalStore)
	return life.Rules{
		Data: data.Rules{Codec: o.Codec, MaxBytes: o.MaxBytes},
		Now:  m.now,
		Idle: o.IdleTimeout, Lifetime: o.Lifetime,
		RenewEvery: o.RenewEvery, RenewGrace: o.RenewGrace, TouchEvery: o.TouchEvery, WatchEvery: o.WatchEvery,
		MaxPerUser: o.MaxPerUser, RefuseNew: o.Overflow == RefuseNew, Persistent: o.Cookie.Persistent,
		Ring: m.ring, Names: m.names(),
		Sealing: o.Seal, RequireSealed: o.RequireSealed,
		StoreType: fmt.Sprintf("%T", m.store), Local: local != nil && local.Local(),
		Logger: o.Logger, Tell: m.tell, Explain: dataError,
	}
}

func (m *Manager) ring() keys.Ring { return *m.keys.Load() }

// now is the manager's clock at the precision that stores keep.
func (m *Manager) now() time.Time { return time.UnixMicro(m.opts.Now().UnixMicro()).UTC() }

// Close stops what the manager does in the background, and waits for it. The store stays open. Close may be called more
// than once, and the manager still serves requests afterwards.
func (m *Manager) Close() error {
	m.closing.Do(func() {
		m.stopEvicted()
		m.keeper.Close()
	})
	return nil
}

// Open returns the session of a ticket without HTTP, for gRPC, WebSocket frames and jobs. Call Save to store what
// changes, and Token for the ticket, which may be new. "" begins a new session, and a bad ticket gives an empty one.
// The error wraps ErrUnavailable.
func (m *Manager) Open(ctx context.Context, token string) (*Session, error) {
	return m.open(ctx, m.newSession(ctx, nil), token, nil)
}

// OpenFor is Open for a request that has no middleware of this manager around it, as in an adapter for another library;
// lists of sessions show the client of the request. The caller sends the ticket.
func (m *Manager) OpenFor(r *http.Request, token string) (*Session, error) {
	return m.openFor(r, token, nil)
}

func (m *Manager) openFor(r *http.Request, token string, former []string) (*Session, error) {
	ctx := r.Context()
	s := m.newSession(ctx, nil)
	s.rest.Change(func(rest *seldom) { rest.request = r })
	limited, call := m.keeper.Outlast(ctx)
	defer call.End()
	s, err := m.open(limited, s, token, former)
	if err != nil {
		return nil, err
	}
	_, events := s.screened(r)
	s.emit(ctx, events...)
	return s, nil
}

// Peek describes the session that a request brings without using it: nothing is stored, sent, renewed or consumed, and
// the idle timeout keeps running. It is for a page that asks how long the session will last: Info.ExpiresAt is when it
// ends if nobody uses it. Info is zero if there is no live session, or if Options.Skip says that the request has none.
// It needs no Middleware. The error wraps ErrUnavailable.
func (m *Manager) Peek(r *http.Request) (Info, error) {
	if m.skips(r) {
		return Info{}, nil
	}
	token, _ := m.transport.Read(r)
	s, err := m.openFor(r, token, m.former(r))
	if err != nil || s.isNew {
		return Info{}, err
	}
	info := infoOf(s.draft.Record())
	info.CreatedAt, info.LoginAt, info.ExpiresAt = s.CreatedAt(), s.LoginAt(), s.ExpiresAt()
	return info, nil
}

func (m *Manager) open(ctx context.Context, s *Session, token string, former []string) (*Session, error) {
	limited, call := m.keeper.Limit(ctx)
	defer call.End()
	events, err := s.find(limited, token, former)
	s.emit(ctx, events...)
	if err != nil {
		return nil, outward(err)
	}
	return s, nil
}

// Now is the time according to Options.Now, at the precision that sessions keep. Middleware that compares times with
// those of a session should not read another clock.
func (m *Manager) Now() time.Time { return m.now() }

// ClientIP is the address of the visitor according to Options.ClientIP, without a zone. It is not valid when there is
// none, as behind a Unix socket.
func (m *Manager) ClientIP(r *http.Request) netip.Addr {
	return m.opts.ClientIP(r).Unmap().WithZone("")
}

// Fail logs the error and answers the request with it, through Options.OnError. It is for middleware on top of a
// session that cannot go on. No part of the response may have been sent yet.
func (m *Manager) Fail(w http.ResponseWriter, r *http.Request, err error) {
	respond.Reset(w.Header(), w.Header()["Content-Encoding"]) // of a writer around this one: no handler has answered
	m.fail(&respond.Answer{ResponseWriter: w}, r, err)
}

// Format prints none of the options, because secrets are among them.
func (m *Manager) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session manager") }

// LogValue logs none of the options, because secrets are among them.
func (m *Manager) LogValue() slog.Value { return slog.StringValue("session manager") }
