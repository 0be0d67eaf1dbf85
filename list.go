package session

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/wire"
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
		RemoteIP: r.RemoteIP, UserAgent: wire.CleanUserAgent(r.UserAgent), Persistent: r.Persistent,
	}
}

func (k *keeper) alive(r *Record) bool {
	return r.Kind == KindLive && (r.ExpiresAt.IsZero() || k.now().Before(r.ExpiresAt))
}

func (k *keeper) canList() error {
	if k.lister == nil {
		return fmt.Errorf("%w: %s cannot list sessions", ErrNotSupported, k.storeType)
	}
	return nil
}

// Sessions lists the live sessions of a user, the last seen first. The error wraps ErrNotSupported when the store
// cannot list, or ErrUnavailable.
func (m *Manager) Sessions(ctx context.Context, user string) ([]Info, error) {
	recs, err := m.keeper.sessionsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(recs))
	for _, r := range recs {
		infos = append(infos, r.info())
	}
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(a.ID, b.ID))
	})
	return infos, nil
}

func (k *keeper) byUser(ctx context.Context, user string) ([]*Record, error) {
	if err := k.canList(); err != nil {
		return nil, err
	}
	if err := checkUser(user); err != nil {
		return nil, err
	}
	recs, err := k.lister.ByUser(ctx, user)
	if err != nil {
		return nil, unavailable(err)
	}
	return recs, nil
}

// All goes through all live sessions, in pages. An error ends the walk. Sessions that begin or end meanwhile may be
// listed or not; one that gets a new id meanwhile may be listed under both ids, or under none.
func (m *Manager) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := m.keeper.canList(); err != nil {
			yield(Info{}, err)
			return
		}
		for after, more := "", true; more; {
			page, err := m.keeper.lister.Page(ctx, after, pageSize)
			if err != nil {
				yield(Info{}, unavailable(err))
				return
			}
			if more = len(page) == pageSize; more {
				after = page[pageSize-1].ID
			}
			page = slices.DeleteFunc(page, func(r *Record) bool { return !m.keeper.alive(r) })
			for _, r := range page {
				is, err := m.keeper.isSession(ctx, r, page)
				if err != nil || is {
					if !yield(r.info(), err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// isSession reports whether a live record is a session of its own. One whose predecessor is on the same page is listed
// as that.
func (k *keeper) isSession(ctx context.Context, r *Record, page []*Record) (bool, error) {
	id := r.Predecessor()
	if id == "" {
		return true, nil
	}
	if slices.ContainsFunc(page, func(o *Record) bool { return o.ID == id }) {
		return false, nil
	}
	before, err := k.before(ctx, r)
	return before == nil && err == nil, err
}

// sessionsOf lists the live records of a user, one for each session.
func (k *keeper) sessionsOf(ctx context.Context, user string) ([]*Record, error) {
	recs, err := k.byUser(ctx, user)
	if err != nil {
		return nil, err
	}
	return k.withoutHeirs(ctx, slices.DeleteFunc(recs, func(r *Record) bool { return !k.alive(r) }))
}

// withoutHeirs leaves out the records of moves that were not decided when they were listed, or were decided otherwise
// since: the sessions that move are there themselves. A record that shares its beginning with none has no part in such
// a move, so that nobody has to be asked.
func (k *keeper) withoutHeirs(ctx context.Context, recs []*Record) ([]*Record, error) {
	there, begun := map[string]bool{}, map[int64]int{}
	for _, r := range recs {
		there[r.ID] = true
		begun[r.CreatedAt.UnixMicro()]++
	}
	var own []*Record
	for _, r := range recs {
		moves := there[r.Predecessor()]
		if !moves && begun[r.CreatedAt.UnixMicro()] > 1 {
			before, err := k.before(ctx, r)
			if err != nil {
				return nil, err
			}
			// A login counts before it is decided.
			moves = before != nil && (before.User == r.User || before.Kind != KindLive)
		}
		if !moves {
			own = append(own, r)
		}
	}
	return own, nil
}
