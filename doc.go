// Package session keeps HTTP sessions. A visitor gets a ticket, a signed cookie; the server keeps the coat, the data.
//
// A [Manager] holds the policy: tickets, clocks, cookies and merging. A [Store] holds the records; memstore, filestore
// and sqlstore are stores of this module, and docs/writing-a-store.md shows how to write one. Wrap handlers in
// [Manager.HandlerFunc], in [Manager.Preload] and call [From] where the session is needed, or in [Manager.Middleware]
// and call [Load], which asks for the session only then and returns the error:
//
//	const visits = session.Key[int]("visits")
//
//	http.Handle("/", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
//		visits.Update(s, func(n int) int { return n + 1 })
//		fmt.Fprintf(w, "visit %d\n", visits.Or(s, 0))
//	}))
//
// A session is loaded at the first Load of a request, and committed before the first byte of the response leaves: on
// the first Write, WriteHeader, Flush, ReadFrom or Hijack, or when the handler returns. A request that does not load
// its session costs nothing, and a visitor who did nothing leaves nothing in the store.
//
// Middleware is a func(http.Handler) http.Handler, as chi and alice take it, and echo in echo.WrapMiddleware. Gin
// writes its responses past any middleware that gin itself calls, so that no ticket would be sent: there Middleware
// stands around the engine, as in http.ListenAndServe(address, sessions.Middleware(engine)), and handlers call Load
// with c.Request.Context().
//
// A recoverer stands outside Middleware, or it hides that the handler failed, and what was done until then is
// committed. http.TimeoutHandler stands inside: outside it may answer after the commit and without the ticket, which
// signs out whoever was about to get a new one. A writer that compresses, http.MaxBytesHandler, http.StripPrefix and
// httputil.ReverseProxy stand where you like.
//
// An upgrade to WebSocket commits too, and the ticket of a session that is new or renewed then stands in w.Header().
// Whether it is sent depends on the upgrader: github.com/coder/websocket and whatever else calls WriteHeader(101) sends
// it. github.com/gorilla/websocket sends the header that its Upgrade is given: give it w.Header(). One that takes over
// the connection and writes a header of its own, such as golang.org/x/net/websocket, does not: let an ordinary request
// store the session first.
//
// Two requests that change one session at the same time both keep their changes: a session remembers what was done to
// it, and does it again on the newest state when another request has committed first. On one path the last one to
// commit wins.
//
// Set, Get and their kin take dotted paths: "article.tags" is the value tags in the map article, and "items.0" the
// first element of a list. [Path] escapes what is not meant so. [Key] gives typed access.
package session
