// Package bounded bounds how long a call may take. A context of the standard library starts a timer at once, which
// takes longer than a read that a cache answers. A [Context] starts it for the calls that wait (bounded.go), and
// [Calls] has one for all that nothing but time ends (calls.go).
//
// Whoever makes a call says how long it may take.
package bounded
