// Package sessiontest has what tests need around sessions.
//
// For those who write a store it is the contract of [session.Store] and its optional interfaces as a test, a rule for
// each sentence:
//
//	func TestStore(t *testing.T) {
//		sessiontest.Run(t, func(t *testing.T) session.Store { return mystore.New() }, sessiontest.Options{})
//	}
//
// For those who write handlers there are [NewManager] and [Request], which make a request that comes with a session,
// and [After], [SetsTicket], [DeletesTicket] and [LeavesTicket], which say what the response did to it. A handler
// behind guard.CSRF answers 403 to a POST that does not say where it comes from: [Form] makes one with Sec-Fetch-Site:
// same-origin, and whoever makes the request sets that header.
package sessiontest
