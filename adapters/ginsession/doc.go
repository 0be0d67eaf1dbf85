// Package ginsession gives the handlers of gin their sessions. Two lines are all that a site needs, one where the
// routes are and one in a handler:
//
//	engine.Use(ginsession.Use(sessions)) // after gin.Recovery, before what uses the session
//
//	s := ginsession.From(c)
//
// The session is loaded before the handler runs, and stored before the first byte of the response leaves, whichever of
// gin's ways sends it. A store that is down is one answer with status 503, and no cookie is lost.
//
// gin.Recovery belongs before Use, as in gin.Default. A recoverer that comes after it hides a panic, so that what the
// handler did before is stored.
package ginsession
