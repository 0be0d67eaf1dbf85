package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"
)

// pageSize is how many records All asks for at a time.
const pageSize = 200

// Info describes a session to people: its user, or who operates the site. It holds no ticket and no data.
type Info struct {
	ID, User                              string
	CreatedAt, SeenAt, LoginAt, ExpiresAt time.Time
	RemoteIP                              netip.Addr
	UserAgent                             string // at most 256 bytes, without control and bidirectional characters
	Persistent                            bool
}

func (r *Record) info() Info {
	return Info{
		ID: r.ID, User: r.User, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, LoginAt: r.LoginAt, ExpiresAt: r.ExpiresAt,
		RemoteIP: r.RemoteIP, UserAgent: cleanUserAgent(r.UserAgent), Persistent: r.Persistent,
	}
}

func (m *Manager) alive(r *Record) bool {
	return r.Kind == KindLive && (r.ExpiresAt.IsZero() || m.now().Before(r.ExpiresAt))
}

func (m *Manager) canList() error {
	if m.lister == nil {
		return fmt.Errorf("%w: %T cannot list sessions", ErrNotSupported, m.store)
	}
	return nil
}

// Sessions lists the live sessions of a user, the last seen first. The error wraps ErrNotSupported when the store cannot
// list, or ErrUnavailable.
func (m *Manager) Sessions(ctx context.Context, user string) ([]Info, error) {
	recs, err := m.byUser(ctx, user)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(recs))
	for _, r := range recs {
		if m.alive(r) {
			infos = append(infos, r.info())
		}
	}
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(a.ID, b.ID))
	})
	return infos, nil
}

func (m *Manager) byUser(ctx context.Context, user string) ([]*Record, error) {
	if err := m.canList(); err != nil {
		return nil, err
	}
	if !validUser(user) {
		return nil, errUser
	}
	recs, err := m.lister.ByUser(ctx, user)
	if err != nil {
		return nil, unavailable(err)
	}
	return recs, nil
}

// All goes through all live sessions, in pages. An error ends the walk. Sessions that begin or end meanwhile may be
// listed or not.
func (m *Manager) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := m.canList(); err != nil {
			yield(Info{}, err)
			return
		}
		for after, more := "", true; more; {
			page, err := m.lister.Page(ctx, after, pageSize)
			if err != nil {
				yield(Info{}, unavailable(err))
				return
			}
			for _, r := range page {
				if m.alive(r) && !yield(r.info(), nil) {
					return
				}
				after = r.ID
			}
			more = len(page) == pageSize
		}
	}
}

// Revoke ends sessions by their Info.ID and says how many it ended; an unknown id is no error. A session that is renewed
// at the same time is ended under its new id. The error wraps ErrUnavailable.
func (m *Manager) Revoke(ctx context.Context, ids ...string) (int, error) {
	if err := m.canRevoke(); err != nil {
		return 0, err
	}
	n := 0
	for _, id := range ids {
		ended, err := m.revoke(ctx, id)
		n += ended
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// revoke ends a session as Logout does, so that it cannot slip away under a new id, and then deletes what is left.
func (m *Manager) revoke(ctx context.Context, id string) (int, error) {
	if m.carried != nil {
		return m.revokeCarried(ctx, id)
	}
	rec, err := m.load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return 0, nil
	case errors.Is(err, ErrCorrupt): // nobody can use it, and nobody can list it: away with it
		return 0, m.remove(ctx, id)
	case err != nil:
		return 0, err
	}
	ended, err := m.end(ctx, rec, nil)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range ended {
		if m.alive(r) {
			n++
			m.emit(ctx, Event{Kind: EventEnded, ID: r.ID, User: r.User})
		}
		err = errors.Join(err, m.remove(ctx, r.ID))
	}
	if len(ended) == 0 || ended[0].ID != id {
		err = errors.Join(err, m.remove(ctx, id))
	}
	return n, err
}

func (m *Manager) remove(ctx context.Context, id string) error {
	if err := m.store.Delete(ctx, id); err != nil {
		return unavailable(err)
	}
	return nil
}

// RevokeUser ends all sessions of a user except those to keep, and says how many it ended. Session.ID keeps the session of the
// request whose context is given, also when it gets that id with this request only. A session that begins while
// this runs is ended too if it was there before the last look. With cookiestore nobody knows how many there are: it says 0. The
// errors are those of Sessions.
func (m *Manager) RevokeUser(ctx context.Context, user string, keep ...string) (int, error) {
	keep = m.keepCurrent(ctx, keep)
	if m.carried != nil {
		return 0, m.revokeCarriedUser(ctx, user, keep)
	}
	kept := map[string]bool{}
	for _, id := range keep {
		kept[id] = true
	}
	n := 0
	for range 10 { // a session that moves all the time cannot keep this busy for ever
		if err := m.keepSuccessors(ctx, kept); err != nil {
			return n, err
		}
		recs, err := m.byUser(ctx, user)
		if err != nil {
			return n, err
		}
		recs = slices.DeleteFunc(recs, func(r *Record) bool { return kept[r.ID] })
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			ended, err := m.Revoke(ctx, r.ID)
			n += ended
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// keepCurrent adds the id that the session of the request still has in the store, when the one to come is to be kept: after
// Regenerate or Login, and before the commit.
func (m *Manager) keepCurrent(ctx context.Context, keep []string) []string {
	ex, ok := ctx.Value(exchangeKey{m}).(*exchange)
	if !ok {
		return keep
	}
	s := ex.loaded()
	if s == nil {
		return keep
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c.rec != nil && s.c.nextID != "" && slices.Contains(keep, s.c.nextID) {
		keep = append(slices.Clone(keep), s.c.rec.ID)
	}
	return keep
}

// keepSuccessors adds the new ids of kept sessions that were renewed.
func (m *Manager) keepSuccessors(ctx context.Context, kept map[string]bool) error {
	for id := range kept {
		for range maxAliases {
			rec, err := m.load(ctx, id)
			if errors.Is(err, ErrUnavailable) {
				return err
			}
			if err != nil || rec.Successor == "" {
				break
			}
			id = rec.Successor
			kept[id] = true
		}
	}
	return nil
}
