package explore

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/coatcheck/session"
)

// grasp is what the hands left.
type grasp struct {
	*grip
	opened []*session.Session // by ticket, in the order in which the client got them
	live   []string           // ids
	broken []string
}

// check looks at what the hands left, and at what they were answered.
func (g *grip) check() error {
	if g.untold {
		return nil
	}
	v := &grasp{grip: g}
	if err := v.look(); err != nil {
		return err
	}
	for _, check := range []func(){
		v.checkReads, v.checkReach, v.checkOnce, v.checkCookie, v.checkEnds, v.checkAlive, v.checkWrites, v.checkUser,
		v.checkRefusals,
	} {
		check()
	}
	if len(v.broken) == 0 {
		return nil
	}
	return fmt.Errorf("%s (answered %d, %d late, %d lost, %v, %v, %v)", strings.Join(v.broken, "; "), g.rec.Code,
		g.late, g.lost, g.hands[0].err, g.hands[1].err, g.s.Err())
}

func (v *grasp) look() error {
	ctx := context.Background()
	recs, err := v.store.Page(ctx, "", 100)
	for _, rec := range recs {
		if rec.Kind == session.KindLive {
			v.live = append(v.live, rec.ID)
		}
	}
	for _, ticket := range v.tickets {
		if err != nil {
			return err
		}
		var s *session.Session
		s, err = v.m.Open(ctx, ticket)
		v.opened = append(v.opened, s)
	}
	return err
}

func (v *grasp) fail(promise, format string, args ...any) {
	v.broken = append(v.broken, promise+": "+fmt.Sprintf(format, args...))
}

// now is the session that the client has, nil when it has none.
func (v *grasp) client() *session.Session {
	if len(v.opened) == 0 || v.deleted {
		return nil
	}
	if s := v.opened[len(v.opened)-1]; !s.IsNew() {
		return s
	}
	return nil
}

// any reports whether one of the deeds is so.
func (v *grasp) any(is func(handDeed) bool) bool { return is(v.c.deeds[0]) || is(v.c.deeds[1]) }

// answered reports whether a hand was told that what it did is stored: by the response, where it was before that; by
// its own save, when it was left behind; or else by the end of the handler, of which the log tells.
func (v *grasp) answered(h *hand) bool {
	switch {
	case h.err != nil:
		return false
	case v.c.stays && h.index == 1:
		return true
	case v.c.stays || !h.other().answers:
		return v.rec.Code == http.StatusOK
	}
	return v.rec.Code == http.StatusOK && v.late+v.lost == 0
}

// checkReads wants that a hand reads what it wrote.
func (v *grasp) checkReads() {
	for _, h := range v.hands {
		for _, text := range h.broken {
			v.fail("who writes reads it", "%s", text)
		}
	}
}

// checkReach wants that somebody has the ticket of whatever is stored, and that one session is not two.
func (v *grasp) checkReach() {
	found := map[string]bool{}
	for _, s := range v.opened {
		if !s.IsNew() {
			found[s.ID()] = true
		}
	}
	for _, id := range v.live {
		if !found[id] {
			v.fail("somebody has the ticket of each session", "one is alive that nobody can open")
		}
	}
	if len(v.live) > 1 {
		v.fail("a session is alive once", "there are %d", len(v.live))
	}
}

// checkOnce wants that what is taken out once is there for one hand.
func (v *grasp) checkOnce() {
	if v.hands[0].popped && v.hands[1].popped {
		v.fail("a value is taken once", "both hands have it")
	}
	if s := v.client(); s != nil && s.Has("notice") && v.rec.Code == http.StatusOK && s.Has(string(owner)) {
		v.fail("flash data are for one request", "the notice is still there")
	}
}

// checkCookie wants that only who ended the session deletes the cookie.
func (v *grasp) checkCookie() {
	if v.deleted && !v.any(func(d handDeed) bool { return d.ends }) {
		v.fail("who ended the session deletes the cookie, nobody else", "it is deleted")
	}
}

// checkEnds wants that an old ticket is of no use after a change of identity.
func (v *grasp) checkEnds() {
	if v.before == "" || v.any(func(d handDeed) bool { return d.reloads }) {
		return
	}
	for _, h := range v.hands {
		if h.moves && v.answered(h) && !v.opened[0].IsNew() {
			v.fail("an old ticket opens nothing", "it does after %s", h.name)
		}
	}
}

// checkAlive wants that nobody is signed out who did not sign out.
func (v *grasp) checkAlive() {
	if v.before != "" && v.client() == nil && !v.any(func(d handDeed) bool { return d.ends || d.drops }) {
		v.fail("nobody is signed out whom nobody signed out", "the client is")
	}
}

// checkWrites wants that what was answered is there.
func (v *grasp) checkWrites() {
	s, steps, most := v.client(), 0, 0
	if v.c.meets {
		if most++; v.met == nil {
			steps++
			v.checkMet(s)
		}
	}
	for _, h := range v.hands {
		if most += h.steps; !v.answered(h) {
			continue
		}
		steps += h.steps
		for _, path := range h.wrote {
			if !h.mayLose() && (s == nil || !s.Has(path)) {
				v.fail("what was answered is there", "%s of %s is not", path, h.name)
			}
		}
		for _, path := range h.gone {
			if s != nil && s.Has(path) {
				v.fail("what was answered is there", "%s is there after %s", path, h.name)
			}
		}
	}
	if v.before != "" {
		steps, most = steps+1, most+1
	}
	if v.any(func(d handDeed) bool { return d.drops }) {
		return
	}
	n := 0
	if s != nil {
		n = counter.Or(s, 0)
	}
	if n < steps || n > most {
		v.fail("no step of a counter is lost or made twice", "it is %d, want %d to %d", n, steps, most)
	}
}

// checkMet wants that what the other request was told is there.
func (v *grasp) checkMet(s *session.Session) {
	if !v.any(func(d handDeed) bool { return d.drops }) && (s == nil || !s.Has("met")) {
		v.fail("what was answered is there", "what the other request set is not")
	}
}

// checkUser wants that who was signed in is.
func (v *grasp) checkUser() {
	for _, h := range v.hands {
		alone := h.other().signs == "" && !h.other().ends && !h.other().reloads
		if s := v.client(); v.answered(h) && alone && h.signs != "" && (s == nil || s.User() != h.signs) {
			v.fail("what was answered is there", "%s is not signed in", h.signs)
		}
	}
}

// checkRefusals wants that there is a reason for whatever was refused: that it came too late.
func (v *grasp) checkRefusals() {
	refused := v.rec.Code != http.StatusOK || v.late+v.lost > 0 || v.hands[0].err != nil || v.hands[1].err != nil
	if v.met != nil && !v.any(func(d handDeed) bool { return d.moves }) {
		v.fail("each refusal has its reason", "nothing explains %v", v.met)
	}
	if refused && !v.c.stays && !v.any(func(d handDeed) bool { return d.answers }) {
		v.fail("each refusal has its reason", "nothing explains it")
	}
}
