package storm

import (
	"context"

	"github.com/coatcheck/session"
)

// list asks for the sessions of a user.
func (v *visit) list(ctx context.Context, m *session.Manager) error {
	_, err := v.sessions(ctx, m, pick(v.rng, v.w.users...))
	return err
}

func (v *visit) sessions(ctx context.Context, m *session.Manager, user string) ([]string, error) {
	l := &listing{fact: fact{user: user, from: v.w.next()}}
	infos, err := m.Sessions(ctx, user)
	for _, info := range infos {
		l.ids = append(l.ids, info.ID)
		v.did = append(v.did, v.w.name(info.ID))
	}
	v.note(l, err)
	return l.ids, err
}

func (v *visit) note(l *listing, err error) {
	l.to, l.sure = v.w.next(), err == nil
	v.w.mu.Lock()
	defer v.w.mu.Unlock()
	v.w.listings = append(v.w.listings, l)
}

func listAll(ctx context.Context, v *visit, m *session.Manager) error {
	l := &listing{fact: fact{from: v.w.next()}, all: true}
	var failed error
	for info, err := range m.All(ctx) {
		if failed = err; err != nil {
			break
		}
		l.ids = append(l.ids, info.ID)
		v.did = append(v.did, v.w.name(info.ID))
	}
	v.note(l, failed)
	return failed
}

// someID is one that somebody has seen, or that the page of devices shows.
func (v *visit) someID(ctx context.Context, m *session.Manager) string {
	var ids []string
	if v.rng.IntN(2) == 0 {
		ids, _ = v.sessions(ctx, m, pick(v.rng, v.w.users...))
	} else {
		v.w.mu.Lock()
		for _, s := range v.w.sightings {
			ids = append(ids, s.id)
		}
		v.w.mu.Unlock()
	}
	if len(ids) == 0 {
		return "unknown"
	}
	return pick(v.rng, ids[max(0, len(ids)-8):]...)
}

// revoke ends a session by its id, of anybody or of a user alone, and of anybody with a reason or without.
func (v *visit) revoke(ctx context.Context, m *session.Manager, own, reason string) (err error) {
	id := v.someID(ctx, m)
	v.did = append(v.did, own, "ends "+v.w.name(id))
	f := v.w.add(&fact{kind: ends, ids: []string{id}, own: own, token: reason})
	switch {
	case own != "":
		_, err = m.RevokeOwn(ctx, own, id)
	case reason != "":
		_, err = m.RevokeFor(ctx, f.reason(), id)
	default:
		_, err = m.Revoke(ctx, id)
	}
	f.tries, f.sure, f.to = 1, err == nil, v.w.next()
	return err
}

// revokeUser ends all sessions of a user, or all but one, with a reason or without.
func (v *visit) revokeUser(ctx context.Context, m *session.Manager, reason string) (err error) {
	user := pick(v.rng, v.w.users...)
	v.did = append(v.did, user)
	f := &fact{kind: ends, user: user, token: reason}
	if v.rng.IntN(3) > 0 {
		f.keep = []string{v.someID(ctx, m)}
		v.did = append(v.did, "but "+v.w.name(f.keep[0]))
	}
	v.w.add(f)
	if reason == "" {
		_, err = m.RevokeUser(ctx, user, f.keep...)
	} else {
		_, err = m.RevokeUserFor(ctx, f.reason(), user, f.keep...)
	}
	f.tries, f.sure, f.to = 1, err == nil, v.w.next()
	return err
}

func updateUser(ctx context.Context, v *visit, m *session.Manager) error {
	f := v.w.add(&fact{kind: tells, user: pick(v.rng, v.w.users...), token: v.w.token()})
	v.did = append(v.did, f.user, f.token)
	_, err := m.UpdateUser(ctx, f.user, func(s *session.Session) error {
		session.Append(s, told, f.token)
		return nil
	})
	f.tries, f.sure, f.to = 1, err == nil, v.w.next()
	return err
}
