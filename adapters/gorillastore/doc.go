// Package gorillastore is a store of gorilla/sessions that keeps its sessions with a manager of Coatcheck. A site that
// uses gorilla/sessions or echo-contrib/session changes the line that makes its store, and one of gin-contrib/sessions
// does with package gincontrib:
//
//	store, err := gorillastore.New(sessions, gorillastore.Options{User: userOf})
//
//	s := gorillastore.Of(gorillaSession) // for what gorilla does not have
//
// From then on two requests that change one session keep the changes of both, a session that ended stays ended, and
// [session.Manager.RevokeUser] ends all of a user's. Nothing but a ticket is in the cookie, and a store that is down
// signs nobody out: Get and Save return an error, and the cookie is left alone.
//
// Values keep their Go types. Those of gorilla's that encoding/gob does not know by itself are registered with
// gob.Register, as for any of gorilla's stores. The manager sees the keys that are strings as paths, and the values
// string, bool, int, nil and []any of these as they are: the session of [Of], and other code that has the manager, read
// them. Options.IdleTimeout and Options.Lifetime of the manager say when a session ends, and MaxAge of a gorilla
// session how long it lasts unused.
//
// The cookie is gorilla's: it has the name and the Options of the gorilla session, and the sessions of several names
// are sessions of their own. One of them can be the manager's, see Options.Name, so that a site is rewritten page by
// page.
package gorillastore
