// Package takeover brings the visitors of a running site along when its sessions move from another library to this one.
// People who were signed in stay signed in:
//
//	t, err := takeover.New(sessions, takeover.SCS(old), takeover.Options{User: userOf})
//
//	http.ListenAndServe(addr, t.Middleware(sessions.Middleware(app)))
//
// The first request that loads its session, and brings the cookie of the old library and no session of somebody who is
// signed in, takes the old session over: its data, its user, the time of its sign-in, its deadline, and whether its
// cookie survives the browser. The id of the new session follows from the old one's, so that requests at the same time,
// on any node, make one session of it. The old session is ended before anybody gets the new ticket, and from then on
// the old library is not asked again. A session that was logged out or revoked since does not come back with the old
// cookie.
//
// Import moves all of them at once, if the source can list them.
//
// [session.Manager.RevokeUser] also ends the sessions of its user that have not moved yet, if you call it on the
// manager that the Takeover was made for. So call it in the site, and not from the command line, until all have moved.
//
// A node that still runs the old code does not know a visitor who has moved. If the visitor signs in there, the new
// session moves, too.
//
// Managers that share a store and their secrets share what they take over from one cookie, even if they refuse each
// other's tickets: one session, with what User and Change of the first of them have made of it. If they do not treat
// the same people as signed in, give each its own secrets.
//
// A cookie of gorilla's CookieStore is the session itself: the old library cannot end it. This package remembers the
// cookies that were moved, and refuses them. An earlier copy of the session, with other values, is another cookie. As
// before, it is a session of its own, until it runs out or the user's sessions are revoked.
package takeover
