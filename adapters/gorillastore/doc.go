// Package gorillastore is a store of gorilla/sessions that keeps its sessions with a manager of Coatcheck. A site that
// uses gorilla/sessions or echo-contrib/session changes the line that makes its store; one that uses
// gin-contrib/sessions does the same with package gincontrib:
//
//	store, err := gorillastore.New(sessions, gorillastore.Options{User: userOf})
//
//	s := gorillastore.Of(gorillaSession) // for what gorilla does not have
//
// From then on two requests that change one session both keep their changes, a session that ended stays ended, and
// [session.Manager.RevokeUser] ends all sessions of a user. The cookie contains only a sealed ticket, and a store that
// is down signs nobody out: Get and Save return an error, and the cookie is left alone.
//
// Values keep their Go types. Register those that encoding/gob does not know by itself with gob.Register, as for any
// store of gorilla. To the manager, a key that is a string is a path, and a string, bool, int or nil, or a []any of
// these, is an ordinary value: the session that [Of] returns, and other code that has the manager, can read it.
// Whatever gob encodes is kept as a map with the one key "gob". So no such code may keep a map as a client has sent it,
// because gob is not made to decode what a stranger wrote.
//
// Options.IdleTimeout and Options.Lifetime of the manager say when a session ends, and MaxAge of a gorilla session how
// long it lasts unused. A Login with [session.Remember], or SetIdleTimeout after it, replaces that. A positive MaxAge
// stands, though, if the session would end within a minute of when the manager's own clocks would end it, because then
// nothing shows that a clock was set. If you want such a clock, set MaxAge of the gorilla session instead.
//
// The cookie is gorilla's: it has the name and the Options of the gorilla session, and the sessions of several names
// are sessions of their own: what is in one cookie opens nothing in another, nor in that of the manager. One of them
// can be the manager's, see Options.Name, so that a site is rewritten page by page.
package gorillastore
