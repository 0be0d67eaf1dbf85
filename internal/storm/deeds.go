package storm

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/coatcheck/session"
)

// deed is what a request does to its session.
type deed struct {
	name string
	do   func(v *visit)
}

func deeds() []deed {
	return []deed{
		{"read", func(v *visit) { v.s.Get("log") }},
		{"append", func(v *visit) { v.write(appends) }},
		{"count", func(v *visit) { v.write(counts) }},
		{"set", func(v *visit) { v.write(sets) }},
		{"flash", func(v *visit) { v.write(flashes) }},
		{"give", func(v *visit) { v.write(gives) }},
		{"take", (*visit).take},
		{"now", func(v *visit) { v.s.Now("now", v.w.token()) }},
		{"clear", (*visit).clear},
		{"login", func(v *visit) { v.login(v.user()) }},
		{"login as anybody", func(v *visit) { v.login(pick(v.rng, v.w.users...)) }},
		{"logout", func(v *visit) { v.logout(v.s.Logout) }},
		{"invalidate", func(v *visit) { v.logout(v.s.Invalidate); v.write(appends) }},
		{"regenerate", (*visit).regenerate},
		{"confirm", (*visit).confirm},
		{"confirm operations", (*visit).confirmOperations},
		{"save", func(v *visit) { _ = v.commit(func() error { return v.s.Save(v.ctx) }) }},
		{"reload", (*visit).reload},
		{"atomic", (*visit).atomic},
		{"atomic identity", (*visit).atomicIdentity},
		{"revoke others", (*visit).revokeOthers},
	}
}

// user is who is signed in, or anybody.
func (v *visit) user() string {
	if user := v.s.User(); user != "" {
		return user
	}
	return pick(v.rng, v.w.users...)
}

// write changes the data, in a way that tells who it was.
func (v *visit) write(k kind) {
	f := &fact{kind: k, token: v.w.token()}
	v.own()
	f.put(v.s)
	v.pend(f)
}

func (f *fact) put(s *session.Session) {
	switch f.kind {
	case appends:
		session.Append(s, log, f.token)
	case counts:
		counter.Update(s, func(n int) int { return n + 1 })
	case sets:
		s.Set("set."+f.token, true)
	case flashes:
		flash.Flash(s, f.token)
	case gives:
		gift.Set(s, f.token)
	}
}

// take takes a value that only one may have.
func (v *visit) take() {
	f := v.w.add(&fact{kind: takes, lives: v.lives})
	_ = v.commit(func() error {
		err := v.s.Atomic(v.ctx, func(s *session.Session) error {
			f.token, _ = gift.Pop(s)
			return nil
		})
		f.sure, f.tries = err == nil, 1
		return err
	})
}

// clear removes all data but the mark. It goes with no Login, which might put the mark on another session.
func (v *visit) clear() {
	life := v.life()
	if life == "" || v.signed {
		return
	}
	v.cleared = true
	v.s.Clear()
	mark.Set(v.s, life)
	v.pending = keepOnly(v.pending, ends, moves, sees, shows, confirms)
	v.pend(&fact{kind: clears})
}

func (v *visit) login(user string) {
	if v.cleared {
		return
	}
	v.signed, v.afresh = true, v.afresh || v.lost || v.loaded == ""
	switch was := v.s.User(); {
	case was != "" && was != user: // who gets nothing of what was another one's, and ends it where it has moved, too
		v.pend(&fact{kind: ends, lives: []string{v.life()}})
		v.drop()
	case v.lost: // it begins afresh, and ends nothing
		v.newFresh()
	default:
		v.pendMove()
		v.newFresh()
	}
	v.s.Login(user, session.Factor(signedIn+user))
	v.lost = false
	v.own()
	v.pend(&fact{kind: logins, user: user})
}

func (v *visit) logout(how func()) {
	v.pendEnd()
	how()
	v.drop()
}

// pendEnd notes that the session is to end; of one that has moved or ended, that which has taken over.
func (v *visit) pendEnd() {
	f := &fact{kind: ends, lives: []string{v.life()}}
	if !v.signed && !v.left {
		f.lives = append(f.lives, cmp.Or(v.loaded, v.ticketLife()))
		f.vague = v.loaded == "" && v.sent != nil && v.sent.life == ""
	}
	f.lives = slices.DeleteFunc(f.lives, func(life string) bool { return life == "" })
	if len(f.lives) > 0 || f.vague {
		v.pend(f)
	}
}

func (v *visit) pendMove() {
	if life := v.life(); life != "" {
		v.pend(&fact{kind: moves, lives: []string{life}})
	}
}

func (v *visit) regenerate() {
	v.pendMove()
	v.s.Regenerate()
}

func (v *visit) reload() {
	err := v.s.Reload(v.ctx)
	v.lost = v.lost || errors.Is(err, session.ErrEnded)
	if err == nil || errors.Is(err, session.ErrEnded) {
		v.pending, v.left = keepOnly(v.pending, sees), false
		v.signed = v.signed && (v.stored != "" || v.afresh)
	}
}

// atomic makes some changes at once, or none.
func (v *visit) atomic() {
	refused := errors.New("refused")
	var plan []*fact
	for range 1 + v.rng.IntN(2) {
		plan = append(plan,
			v.w.add(&fact{kind: pick(v.rng, appends, counts, sets), token: v.w.token(), lives: v.lives}))
	}
	do := func(result error) error {
		return v.s.Atomic(v.ctx, func(s *session.Session) error {
			(&visit{s: s, fresh: v.fresh}).own()
			for _, f := range plan {
				f.put(s)
			}
			return result
		})
	}
	if v.rng.IntN(6) == 0 {
		v.lost = errors.Is(do(refused), session.ErrEnded) || v.lost
		return
	}
	earlier := v.pending
	v.pending = append(v.pending[:len(v.pending):len(v.pending)], plan...)
	if err := v.commit(func() error { return do(nil) }); err != nil {
		v.pending = earlier // what Atomic did not do, nothing does later
	}
}

// atomicIdentity signs in or out, or moves, on the newest state. What it does not do is not done later.
func (v *visit) atomicIdentity() {
	if v.cleared {
		return
	}
	name := pick(v.rng, "login", "logout", "regenerate", "confirm")
	v.did = append(v.did, name)
	earlier, signed, lost := v.pending, v.signed, v.lost
	v.pending = slices.Clone(earlier)
	act := v.identity(name)
	err := v.commit(func() error {
		return v.s.Atomic(v.ctx, func(s *session.Session) error { act(s); return nil })
	})
	if err != nil {
		v.pending, v.signed, v.lost = earlier, signed, v.lost || lost
	}
}

// identity notes what is to become of the session, and returns what does it.
func (v *visit) identity(name string) (act func(s *session.Session)) {
	switch name {
	case "logout":
		v.pendEnd()
		v.drop()
		return (*session.Session).Logout
	case "regenerate":
		v.pendMove()
		return (*session.Session).Regenerate
	case "confirm":
		v.pendMove()
		v.pend(&fact{kind: shows})
		return confirm
	}
	user := v.user()
	v.signed, v.lost = true, false // where the session is gone it begins another
	v.pendMove()
	v.newFresh()
	v.pend(&fact{kind: logins, user: user})
	fresh := v.fresh
	return func(s *session.Session) {
		s.Login(user, session.Factor(signedIn+user))
		(&visit{s: s, fresh: fresh}).own()
	}
}

// revokeOthers ends the other sessions of the user, as the page does on which one changes the password. Without HTTP
// nobody knows that an id to come is to be kept.
func (v *visit) revokeOthers() {
	user, id := v.s.User(), v.s.ID()
	if user == "" || id == "" || v.job && v.s.Token() == "" || v.job && len(keepOnly(v.pending, moves, logins)) > 0 {
		return
	}
	f := v.w.add(&fact{kind: ends, user: user, keep: []string{id}, lives: v.lives})
	_, err := v.m.RevokeUser(v.ctx, user, id)
	f.tries, f.sure, f.to = 1, err == nil, v.w.next()
}

func keepOnly(list []*fact, kinds ...kind) (kept []*fact) {
	for _, f := range list {
		for _, k := range kinds {
			if f.kind == k {
				kept = append(kept, f)
			}
		}
	}
	return kept
}

// errand is a request to the manager.
type errand struct {
	name string
	do   func(ctx context.Context, v *visit, m *session.Manager) error
}

func (e errand) run(ctx context.Context, v *visit, m *session.Manager) {
	err := e.do(ctx, v, m)
	v.w.log("%v: %s %v: %v", v, e.name, v.did, err)
}

func errands() []errand {
	return []errand{
		{"sessions", func(ctx context.Context, v *visit, m *session.Manager) error { return v.list(ctx, m) }},
		{"all", listAll},
		{"revoke", func(ctx context.Context, v *visit, m *session.Manager) error { return v.revoke(ctx, m, "", "") }},
		{"revoke for", func(ctx context.Context, v *visit, m *session.Manager) error {
			return v.revoke(ctx, m, "", v.w.token())
		}},
		{"revoke own", func(ctx context.Context, v *visit, m *session.Manager) error {
			return v.revoke(ctx, m, pick(v.rng, v.w.users...), "")
		}},
		{"revoke user", func(ctx context.Context, v *visit, m *session.Manager) error {
			return v.revokeUser(ctx, m, "")
		}},
		{"revoke user for", func(ctx context.Context, v *visit, m *session.Manager) error {
			return v.revokeUser(ctx, m, v.w.token())
		}},
		{"update user", updateUser},
		{"sweep", func(ctx context.Context, _ *visit, m *session.Manager) error {
			_, err := m.Sweep(ctx)
			return err
		}},
	}
}
