// Package fibersession gives the handlers of Fiber 3 their sessions. A site needs only two lines, one where the routes
// are and one in a handler:
//
//	app.Use(fibersession.Use(sessions)) // after recover, before what uses the session
//
//	s := fibersession.From(c)
//
// The session is loaded before the handler runs, and stored when it returns, which is before Fiber sends anything. If
// the store is down, the answer is a 503, and no cookie is lost. An error that a handler returns is an answer like any
// other: what was set in the session before is stored. Only c.End sends the response at once, and so without the
// ticket: do not call it where the session changes.
//
// A stream (SendStreamWriter) and a hijacked connection go on after that. If they change the session, call
// [session.Session.Save]; the session must have been stored before, because no response can bring a new ticket any
// more. They hear of the end of the session by [session.Session.Done], until the stream is out or the connection
// closed. As always in Fiber, c.Context() does not end when the client leaves; only a failed write shows that.
//
// The functions in [session.Options] get a request of net/http without a body, in which nothing is shared with Fiber.
// Login copies the name of the user, and Set the value, so both may be c.FormValue. If a goroutine or a stream goes on
// with any other string of c, even as the name of a key, copy it with strings.Clone: the next request reuses its
// memory.
//
// Middleware that recovers from panics belongs before Use; after Use, it hides the panic, and the session is stored.
// Middleware that answers for a handler that takes too long, such as timeout.New, belongs after Use: what the handler
// has done to the session by then is stored; what it does later is stored only by Save. A cache of pages belongs before
// Use; after Use, it sees neither Vary nor Cache-Control, and shows one visitor the page of another.
//
// Fiber's adaptor does not hand on the session. A handler of net/http that changes one, such as those of package guard,
// would get a session of its own, and one of the two tickets would be lost. Give the handler the context:
//
//	adaptor.HTTPHandlerWithContext(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		if ctx, ok := adaptor.LocalContextFromHTTPRequest(r); ok {
//			r = r.WithContext(ctx)
//		}
//		handler.ServeHTTP(w, r)
//	}))
package fibersession
