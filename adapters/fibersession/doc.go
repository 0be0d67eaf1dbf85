// Package fibersession gives the handlers of Fiber 3 their sessions. Two lines are all that a site needs, one where the
// routes are and one in a handler:
//
//	app.Use(fibersession.Use(sessions)) // after recover, before what uses the session
//
//	s := fibersession.From(c)
//
// The session is loaded before the handler runs, and stored when it returns, which is before Fiber sends anything. A
// store that is down is one answer with status 503, and no cookie is lost. An error that a handler returns is an answer
// like any other: what the session got before is stored.
//
// A stream (SendStreamWriter) and a connection that was hijacked go on after that. What they change in the session
// needs [session.Session.Save], and the session must have been stored before: nobody could be told of a new ticket.
//
// The functions in [session.Options] get a request of net/http without a body, in which nothing is shared with Fiber.
// Middleware that recovers from a panic belongs before Use; after it, it hides the panic, and the session is stored.
package fibersession
