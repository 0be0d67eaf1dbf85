package session

import (
	"cmp"
	"context"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// Info describes a session to people: its user, or who operates the site. It holds no ticket and no data.
type Info struct {
	ID, User                              string
	CreatedAt, SeenAt, LoginAt, ExpiresAt time.Time
	RemoteIP                              netip.Addr
	UserAgent                             string // at most 256 bytes, without control and bidirectional characters
	Persistent                            bool
}

func infoOf(r *life.Record) Info {
	return Info{
		ID: r.ID, User: r.User, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, LoginAt: r.LoginAt, ExpiresAt: r.ExpiresAt,
		RemoteIP: r.RemoteIP, UserAgent: wire.CleanUserAgent(r.UserAgent), Persistent: r.Persistent,
	}
}

// Sessions lists the live sessions of a user, the last seen first. The error wraps ErrNotSupported when the store
// cannot list, or ErrUnavailable.
func (m *Manager) Sessions(ctx context.Context, user string) ([]Info, error) {
	recs, err := m.keeper.SessionsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(recs))
	for _, r := range recs {
		infos = append(infos, infoOf(r))
	}
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(a.ID, b.ID))
	})
	return infos, nil
}

// All goes through all live sessions, in pages. An error ends the walk. Sessions that begin or end meanwhile may be
// listed or not; one that gets a new id meanwhile may be listed under both ids, or under none.
func (m *Manager) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for r, err := range m.keeper.All(ctx, time.Time{}) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			if !yield(infoOf(r), nil) {
				return
			}
		}
	}
}
