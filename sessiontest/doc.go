// Package sessiontest has what tests need around sessions.
//
// For those who write a store it is the contract of [session.Store] and its optional interfaces as a test, a rule for
// each sentence:
//
//	func TestStore(t *testing.T) {
//		sessiontest.Run(t, func(t *testing.T) session.Store { return mystore.New() }, sessiontest.Options{})
//	}
//
// For those who write handlers there are [NewManager] and [Request], which make a request that comes with a session, and
// [After], [SetsTicket], [DeletesTicket] and [LeavesTicket], which say what the response did to it.
package sessiontest
