// Package ginsession gives the handlers of gin their sessions. A site needs only two lines, one where the routes are
// and one in a handler:
//
//	engine.Use(ginsession.Use(sessions)) // after gin.Recovery, before what uses the session
//
//	s := ginsession.From(c)
//
// The session is loaded before the handler runs, and stored before the first byte of the response leaves, whichever
// method of gin sends it. If the store is down, the answer is a 503, and no cookie is lost.
//
// gin.Recovery belongs before Use, as in gin.Default. A recoverer after Use hides a panic, so that what the handler did
// before is stored.
package ginsession
