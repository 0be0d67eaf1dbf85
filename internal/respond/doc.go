// Package respond is the writer that asks before the first byte: what a handler writes to while its session is not
// stored yet. Here is how each way to begin a response, from WriteHeader to Hijack, goes through one gate, what a
// handler is told that its writer can do, which headers an answer that replaces a response takes away, and that the
// server learns of the files that a handler has uploaded. Not here is what the gate does, when it refuses, and what
// the answer says: that is the request's in package session. No session, ticket or cookie is known here.
package respond
