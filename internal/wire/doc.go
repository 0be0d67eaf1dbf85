// Package wire is what stands in the headers of requests and responses beside the session: names, domains and paths
// of cookies as browsers take them, the cookies that a long token is cut into, who the client is behind proxies, and
// what it calls itself. All of it reads bytes that anybody can send, so that whatever is wrong is a plain "no" and
// no error. Not here are the attributes of the session cookie, which tickets are believed, and what a wrong option
// is told: that is package session. No session, ticket or secret is known here.
package wire
