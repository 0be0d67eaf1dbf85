// Package respond is the writer that asks before the first byte: what a handler writes to while its session is not
// stored yet. It makes each way to begin a response, from WriteHeader to Hijack, go through one gate. It decides what a
// handler is told that its writer can do, and which headers an answer that replaces a response takes away, and it lets
// the server know of uploaded files. What the gate does, when it refuses, and what the answer says is decided by the
// request in package session. No session, ticket or cookie is known here.
package respond
