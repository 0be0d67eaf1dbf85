// Package takeover brings the visitors of a running site along when its sessions move from another library to this one.
// Who was signed in stays signed in, and nobody is signed in anew:
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
// Import moves all of them at once, where the source can list them.
//
// [session.Manager.RevokeUser] ends what its user has not moved yet as well. It knows of that through the manager that
// a Takeover was made for: call it in the site, and not by the command line, until all have moved.
//
// A node that still runs the old code does not know a visitor who has moved. Whoever signs in there comes again with a
// new session, which moves too.
//
// A cookie of gorilla's CookieStore is the session itself: the old library cannot end it. This one remembers those that
// were moved, and refuses them. An earlier copy of the session, with other values, is another cookie and another
// session, as it was before, until it runs out or the user's sessions are revoked.
package takeover
