// Package sessiontest has what tests need around sessions.
//
// If you write a store, it is the contract of [session.Store] and its optional interfaces as a test, with a rule for
// each sentence:
//
//	func TestStore(t *testing.T) {
//		sessiontest.Run(t, func(t *testing.T) session.Store { return mystore.New() }, sessiontest.Options{})
//	}
//
// If you write handlers, [NewManager] and [Request] make a request that comes with a session, and [After],
// [SetsTicket], [DeletesTicket] and [LeavesTicket] say what the response did to it. A handler behind guard.CSRF answers
// 403 to a POST that does not say where it comes from. [Form] makes one with Sec-Fetch-Site: same-origin; set that
// header yourself on requests that you make in another way.
package sessiontest
