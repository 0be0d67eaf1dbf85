package provider

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// deed is a request that meets others.
type deed struct {
	name, path string
	phone      bool   // it comes with the ticket of the phone
	user, sid  string // who signs in, by which sign-in at the provider
	later      time.Duration

	by, value string // what the provider ends: a sid or a sub
	event     string // by which event, if not by a logout
}

// deeds are all kinds. The same one twice is a form that was sent twice, or a token.
var deeds = []deed{
	{name: "sign in", path: "/signin", user: "ada", sid: "new"},
	{name: "sign in on the phone", path: "/signin", phone: true, user: "ada", sid: "new"},
	{name: "sign in a second later", path: "/signin", phone: true, user: "ada", sid: "later", later: time.Second},
	{name: "bob signs in on the phone", path: "/signin", phone: true, user: "bob", sid: "of bob"},
	{name: "bob's password on the phone", path: "/password", phone: true, user: "bob"},
	{name: "renew", path: "/renew", phone: true},
	{name: "read", path: "/", phone: true}, // and the id is renewed, where that is due
	{name: "leave", path: "/leave", phone: true},
	{name: "logout of new", path: "/logout", by: "sid", value: "new"},
	{name: "logout of the phone", path: "/logout", by: "sid", value: "phone"},
	{name: "logout of ada", path: "/logout", by: "sub", value: "ada"},
	{name: "the phone is revoked", path: "/events", by: "sid", value: "phone", event: "session-revoked"},
	{name: "ada's password changes", path: "/events", by: "sub", value: "ada", event: "credential-change"},
}

// notice reports whether it is the provider who sends the request.
func (d deed) notice() bool { return d.by != "" }

// replaces reports whether the session of the phone is another one, or over, when this has succeeded.
func (d deed) replaces() bool { return d.phone && (d.user != "" || d.path == "/leave") }

// act is a deed in a scene, and how it was answered.
type act struct {
	deed
	node   int
	status int
	ticket string // that it gave out
}

// do sends the request.
func (a *act) do(ctx context.Context, sc *scene) {
	node, ticket := sc.nodes[a.node], ""
	if a.phone {
		ticket = sc.before[phone].ticket
	}
	form := url.Values{}
	switch {
	case a.event != "":
		a.status = node.Push(ctx, sc.token(a))
		return
	case a.notice():
		form.Set("logout_token", sc.token(a))
	case a.sid != "":
		form.Set("id_token", sc.p.IDToken(sc.own(a.user), sc.own(a.sid), sc.clock.now().Add(a.later)))
	case a.user != "":
		form.Set("user", sc.own(a.user))
	}
	a.status, a.ticket = node.Post(ctx, a.path, ticket, form)
}

// token is the same whenever the same notice is sent.
func (sc *scene) token(a *act) string {
	value, jti, at := sc.own(a.value), sc.own(a.name), sc.clock.now()
	if a.event != "" {
		return sc.p.Event(a.event, a.by, value, jti, at)
	}
	return sc.p.LogoutToken(a.by, value, jti, at)
}

// taken reports whether the provider was told that it is done.
func (a *act) taken() bool {
	return a.notice() && (a.status == http.StatusOK || a.status == http.StatusAccepted)
}
