// Package session keeps HTTP sessions. A visitor gets a ticket, a signed cookie; the server keeps the coat, the data.
//
//	const visits = session.Key[int]("visits")
//
//	http.Handle("/", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
//		visits.Update(s, func(n int) int { return n + 1 })
//		fmt.Fprintf(w, "visit %d\n", visits.Or(s, 0))
//	}))
//
// A [Manager] holds the policy: tickets, clocks, cookies and merging. [New] makes one from a [Store], which holds the
// records, and [Options], which need only a [Secret] ([NewSecret], [ParseSecrets]). A [Session] is what one visitor
// has.
//
// # Handlers
//
// Wrap handlers in [Manager.HandlerFunc]; in [Manager.Preload], and call [From] where the session is needed; or in
// [Manager.Middleware] and call [Load] or [Manager.Load], which asks for the session only then and returns the error.
// [Manager.Open] and [Manager.OpenFor] open a session where there is no middleware.
//
// A session is loaded at the first Load of a request, and committed before the first byte of the response leaves: on
// the first Write, WriteHeader, Flush, ReadFrom or Hijack, or when the handler returns. A request that does not load
// its session costs nothing, and a visitor who did nothing leaves nothing in the store. [Session.Save] commits before
// that, and [Session.Reload] drops what was not committed.
//
// Two requests that change one session at the same time both keep their changes: a session remembers what was done to
// it, and does it again on the newest state if another request has committed first. If both set the same path, the last
// one to commit wins. What must be decided on the newest state goes into [Session.Atomic].
//
// # Data
//
// A [Key] gives typed access to one value, and [Append] to a list. [Session.Set], [Session.Get] and their kin take
// dotted paths: "article.tags" is the value tags in the map article, and "items.0" the first element of a list. [Path]
// escapes text that is not meant as a path. [Session.Flash] keeps a value for the next request alone, and
// [Session.FlashForm] a form that goes back to its visitor. A [Codec] encodes the values. An operation that cannot be
// done is refused, and [Session.Err] says why; a value of another type than the one asked for is a [DecodeError].
//
// # Identity
//
// [Session.Login] binds a session to a user and gives it a new id; a [LoginOption] such as [Remember] changes how.
// [Session.Logout] ends it, for every request that is under way, and [Session.Done] is closed for those that wait. Call
// [Session.Regenerate] when anything else changes what a visitor may do. [Session.SetIdleTimeout],
// [Session.SetLifetime] and [Session.SetDeadline] set the clocks of one session; [Never] switches one off.
//
// [Manager.Sessions] lists the sessions of a user, an [Info] for each; [Manager.RevokeUser] and [Manager.RevokeOwn] end
// them, and [Manager.UpdateUser] changes what is in them. [Manager.RevokeFor], [Manager.RevokeUserFor] and
// [Manager.RevokeWhere] take a [Reason], which [Session.EndedBy] returns to the visitor who was signed out.
// [Options].MaxPerUser limits how many sessions there are, and [Overflow] says what happens then.
//
// # Cookies and other transports
//
// [Cookie] says how the ticket is set, and its zero value is the safe one. A [Transport] carries it in another way:
// [Header], [Bearer], or several of them with [Transports]. [Manager.SetSigned] and [Manager.Signed] are for cookies of
// the application that nobody may change. [SkipHeader] and [ClientIPFrom] make values for Options.Skip and
// Options.ClientIP.
//
// # Beside other middleware
//
// Middleware is a func(http.Handler) http.Handler, which chi and alice take as it is, and echo through
// echo.WrapMiddleware. Gin writes its responses past any middleware that gin itself calls, so no ticket would be sent.
// Put Middleware around the engine instead, as in http.ListenAndServe(address, sessions.Middleware(engine)), and call
// Load with c.Request.Context() in handlers.
//
// Put middleware that recovers from panics outside Middleware. Inside, it hides that the handler failed, and everything
// done until then is committed. Put http.TimeoutHandler inside. Outside, it may answer after the commit without the
// ticket, which signs out people who were about to get a new one. A compressing writer, http.MaxBytesHandler,
// http.StripPrefix and httputil.ReverseProxy may stand on either side.
//
// An upgrade to WebSocket commits, too. The ticket of a new or renewed session is then in w.Header(); whether it is
// sent depends on the upgrader. github.com/coder/websocket, and anything else that calls WriteHeader(101), sends it.
// github.com/gorilla/websocket sends the header that you give to its Upgrade: give it w.Header(). An upgrader that
// takes over the connection and writes a header of its own, such as golang.org/x/net/websocket, does not send it: let
// an ordinary request store the session first.
//
// Middleware on top of a session, such as package guard, can look at the session before the handler does, with
// [Manager.Screen] and [Screening], and after it, with [Session.OnAnswer] and [Session.Proved]. It answers with
// [Manager.Fail] and reports with [Manager.Report]. [Manager.ClientIP] is the address to count by, and
// [Manager.Pseudonyms] hide the names that it keeps.
//
// # Stores
//
// memstore, filestore, sqlstore, cookiestore and nullstore are stores of this module; docs/writing-a-store.md shows how
// to write one, and package sessiontest checks it. The contract is in the comment of [Store], which keeps a [Record] of
// a [RecordKind] under its id. Optional interfaces say what else a store can do ([Toucher], [Sweeper], [Lister],
// [Limiter] with its [Limit], [Watcher], [Evicter] and [Sharer]) and what it is ([LocalStore], [Discarder], [Carrier]
// and [Forgetter], for which [Forgets] asks). A [ConflictError] brings the record that stands in the way, and [Moves]
// finds records that are one session.
//
// # For operators
//
// [Options].OnEvent gets each [Event], which has an [EventKind], and [WithActor] names who acts. [Manager.Audit] gives
// a [Finding] for each practice of docs/security.md. [Manager.All] goes through all sessions, [Manager.Revoke] ends
// some, and [Manager.UpdateAll] changes them. [Manager.Contents] shows what a record holds, a [Content] for each key,
// and [Manager.Reseal] makes a copy for another store or under another secret. [Manager.SetSecrets] replaces the
// secrets of a running manager, and [Manager.Sweep] removes what has expired.
package session

// If you change this package: docs/architecture.md says what is on the floors below, and follows a request and a logout
// through them. This package has the public surface and HTTP:
//
//	manager.go                     New, and which store and options a manager has
//	middleware.go exchange.go      one request and its response
//	answer.go                      what answers a request that failed, instead of the handler
//	session.go data.go form.go     what a session shows, and the paths
//	key.go                         typed keys
//	identity.go                    login, logout, new ids
//	assurance.go                   how sure it is who signed in
//	save.go atomic.go              the locks of a session around a commit
//	users.go                       listing, ending and changing the sessions of users
//	tools.go                       audit, contents of records, sweeps
//	options.go cookie.go           and what is wrong with them
//	transport.go secret.go         how tickets travel, and what signs them
//	signed.go                      cookies of the application
//	foreign.go                     sessions of another library
//	store.go record.go             the contract of stores
//	errors.go event.go             what is told
//	adapt.go                       between this package and the floors below
