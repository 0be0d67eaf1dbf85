package explore

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coatcheck/session"
)

// Streams have loaded the session of the desk long before the scene: since then it was renewed, and used beyond the
// idle timeout that it had when it was, and what is due was swept.
var (
	longAgo           = due{name: "renewed long ago", renewEvery: renewing, idle: brief, renewals: 3}
	longAgoAndRenewal = due{name: "renewed long ago, renewal due", renewEvery: renewing, idle: brief, renewals: 3,
		age: renewing}
)

const (
	renewing = 10 * time.Minute
	brief    = 15 * time.Minute
)

// deedsOfStreams are what is done, without a request, to a session that was loaded long ago.
func deedsOfStreams() []deed {
	return []deed{
		{name: "stream: load", by: desk, stream: true, do: func(a *act) { a.reload() }},
		{name: "stream: set", by: desk, stream: true, do: func(a *act) { a.set("k") }},
		{name: "stream: update", by: desk, stream: true, do: func(a *act) {
			a.atomic(func(s *session.Session) { a.update(s) })
		}},
		{name: "stream: logout", by: desk, stream: true, ends: desk, do: func(a *act) { a.s.Logout() }},
		{name: "stream: atomic logout", by: desk, stream: true, ends: desk, do: (*act).atomicLogout},
		{name: "stream: revoke others", by: desk, stream: true, ends: others, phone: true, do: (*act).revokeOthers},
	}
}

// CasesOfStreams returns every choice of n requests of which a stream makes one at least.
func CasesOfStreams(n int) (list []Case) {
	choices := Choose(n, append(deedsOfStreams(), deedsBesideStreams()...))
	for _, c := range cases(choices, []due{longAgo, longAgoAndRenewal}, []room{{}}) {
		if c.any(func(d deed) bool { return d.stream }) {
			list = append(list, c)
		}
	}
	return list
}

func deedsBesideStreams() []deed {
	return named("load", "set", "regenerate", "login", "login as bob", "logout", "revoke", "revoke for",
		"list and revoke one", "revoke others", "update user")
}

func (c Case) any(fn func(deed) bool) bool {
	for _, d := range c.deeds {
		if fn(d) {
			return true
		}
	}
	return false
}

func (a *act) reload() {
	if err := a.s.Reload(a.r.Context()); err != nil {
		a.fail(err)
	}
}

// goOn does the deed of a stream, and saves.
func (a *act) goOn(ctx context.Context) {
	w := httptest.NewRecorder()
	a.w, a.r = w, a.request(ctx, "GET", "")
	if a.note(a.s); a.as == "" {
		a.as = desk
	}
	a.do(a)
	err := a.s.Save(ctx)
	switch {
	case w.Code != http.StatusOK:
		a.status = w.Code
	case errors.Is(err, session.ErrEnded):
		a.status = http.StatusConflict
	case err != nil:
		a.status = http.StatusServiceUnavailable
	}
}

// openStreams loads the sessions that streams have, before the desk is renewed.
func (sc *scene) openStreams(ctx context.Context) (err error) {
	for _, a := range sc.acts {
		if a.stream && err == nil {
			a.s, err = a.m.Open(ctx, sc.at(desk).ticket)
		}
	}
	return err
}

// renew has the desk, and the phone, get one id after the other, and sweeps what is due by then.
func (sc *scene) renew(ctx context.Context) error {
	for range sc.c.due.renewals {
		sc.now = sc.now.Add(renewing)
		for i := range sc.clients {
			c := &sc.clients[i]
			a := act{sc: sc, node: sc.nodes[0], status: http.StatusOK, cookie: c.ticket}
			a.get(ctx, a.noting(func(*http.Request) {}))
			c.ticket, c.id = a.cookie, idOf(a.cookie)
			if a.status != http.StatusOK || a.as != c.name {
				return errNotRenewed
			}
		}
	}
	if s, ok := sc.store.(session.Sweeper); ok {
		_, err := s.Sweep(ctx, sc.now, 100)
		return err
	}
	return nil
}

var errNotRenewed = errors.New("explore: a session was not renewed")
