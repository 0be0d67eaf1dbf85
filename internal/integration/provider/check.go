package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// check is what holds in whatever order.
func (sc *scene) check() error {
	if err := sc.again(); err != nil {
		return err
	}
	err := errors.Join(sc.checkAnswers(), sc.checkBefore(), sc.checkSignIns(), sc.checkLists())
	if err != nil {
		return err
	}
	return sc.checkLinks()
}

// again sends the notices again that the site could not take, as a provider does. Then they must be taken, unless the
// same one was meanwhile.
func (sc *scene) again() error {
	for i, a := range sc.acts {
		if !a.notice() || a.status != http.StatusServiceUnavailable || !sc.x.Faulted(i) {
			continue
		}
		if a.do(context.Background(), sc); !a.taken() && !sc.twice(a) {
			return fmt.Errorf("%s is answered with 503, and then with %d", a.name, a.status)
		}
	}
	return nil
}

// twice reports whether the same notice was taken another time.
func (sc *scene) twice(a *act) bool {
	return slices.ContainsFunc(sc.acts, func(b *act) bool { return a != b && a.name == b.name && b.taken() })
}

// ended reports whether the provider was told that a session is over.
func (sc *scene) ended(h *holding) bool {
	return slices.ContainsFunc(sc.acts, func(a *act) bool { return a.taken() && a.means(h) })
}

// means reports whether a notice is about a session.
func (a *act) means(h *holding) bool {
	if h.sid == "" {
		return false
	}
	return a.by == "sid" && a.value == h.sid || a.by == "sub" && a.value == h.user && !h.later
}

// checkAnswers: a notice is taken, a logout once, and a sign-in is refused only if it is over.
func (sc *scene) checkAnswers() error {
	for i, a := range sc.acts {
		switch {
		case a.status == http.StatusOK || a.taken() || sc.x.Faulted(i) && a.status == http.StatusServiceUnavailable:
		case a.notice() && a.event == "" && a.status == http.StatusBadRequest && sc.twice(a):
		case a.path == "/signin" && a.status == http.StatusForbidden && sc.ended(a.signsIn()):
		case a.path == "/renew" || a.path == "/": // of a session that is over meanwhile
		default:
			return fmt.Errorf("%s is answered with %d", a.name, a.status)
		}
		if a.taken() && a.event == "" && sc.twice(a) {
			return fmt.Errorf("%s is taken twice", a.name)
		}
	}
	return nil
}

// made is the session that a request has begun, or goes on with.
func (sc *scene) made(a *act) *holding {
	if a.user == "" || a.status != http.StatusOK {
		h := *sc.before[phone]
		h.ticket = a.ticket
		return &h
	}
	return a.signsIn()
}

// signsIn is the session that a request wants to begin.
func (a *act) signsIn() *holding {
	return &holding{ticket: a.ticket, user: a.user, sid: a.sid, later: a.later > 0}
}

// checkBefore: of the sessions from before, those end that the provider has ended, and no others.
func (sc *scene) checkBefore() error {
	for i, h := range sc.before {
		moved := i == phone && slices.ContainsFunc(sc.acts, func(a *act) bool { return a.phone && a.path != "/" })
		if err := sc.checkHolding(h, moved); err != nil {
			return fmt.Errorf("the session %d from before: %w", i, err)
		}
	}
	return nil
}

// checkSignIns: so do those that began meanwhile. Of two that began on the phone, only one can go on.
func (sc *scene) checkSignIns() error {
	others := 0
	for _, a := range sc.acts {
		if a.phone && a.path != "/" {
			others++
		}
	}
	for i, a := range sc.acts {
		if a.ticket == "" {
			continue
		}
		maybe := a.phone && others > 1 || a.status != http.StatusOK || sc.x.Faulted(i) || a.user == "" && others > 0
		if err := sc.checkHolding(sc.made(a), maybe); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// checkHolding checks what a ticket opens. Maybe it opens nothing, but never what is over or somebody else's.
func (sc *scene) checkHolding(h *holding, maybe bool) error {
	v, err := sc.judge.Open(h.ticket)
	if err != nil {
		return err
	}
	opens := View{User: sc.own(h.user), ID: v.ID}
	if h.sid != "" {
		opens.SID = sc.own(h.sid)
	}
	over := sc.ended(h)
	switch {
	case !over && v == opens:
	case v.User == "" && (over || maybe):
	default:
		return fmt.Errorf("it is over: %v, and opens that of %q by %q, ended by %q", over, v.User, v.SID, v.EndedBy)
	}
	if over && v.EndedBy != "provider" && v.EndedBy != "password" && !maybe {
		return fmt.Errorf("it is over because of %q", v.EndedBy)
	}
	return nil
}

// checkLists: nothing is listed that nobody has a ticket of. Where an answer was lost, that may be.
func (sc *scene) checkLists() error {
	for i := range sc.acts {
		if sc.x.Faulted(i) {
			return nil
		}
	}
	open := map[string]bool{}
	held := slices.Clone(sc.before)
	for _, a := range sc.acts {
		held = append(held, sc.made(a))
	}
	for _, h := range held {
		v, err := sc.judge.Open(h.ticket)
		if err != nil {
			return err
		}
		open[v.ID] = v.User != ""
	}
	for _, user := range []string{"ada", "bob"} {
		infos, err := sc.judge.Sessions.Sessions(context.Background(), sc.own(user))
		if err != nil {
			return err
		}
		for _, info := range infos {
			if !open[info.ID] {
				return fmt.Errorf("a session of %s is listed that no ticket opens", user)
			}
		}
	}
	return nil
}

// checkLinks: all links are there still, so that the provider can end what is left, and nothing else.
func (sc *scene) checkLinks() error {
	ctx := context.Background()
	sc.clock.advance(time.Minute)
	for _, user := range []string{"ada", "bob"} {
		name := sc.own(user)
		last := url.Values{"logout_token": {sc.p.LogoutToken("sub", name, "last of "+name, sc.clock.now())}}
		if status, _ := sc.judge.Post(ctx, "/logout", "", last); status != http.StatusOK {
			return fmt.Errorf("the last logout of %s is answered with %d", user, status)
		}
		sids, err := sc.judge.Links(ctx, name)
		if err != nil {
			return err
		}
		byPassword := slices.DeleteFunc(slices.Clone(sids), func(sid string) bool { return sid != "" })
		if len(byPassword) < len(sids) || user == "ada" && len(byPassword) != 1 {
			return fmt.Errorf("after the last logout of %s there are sessions that began by %q", user, sids)
		}
	}
	return nil
}
