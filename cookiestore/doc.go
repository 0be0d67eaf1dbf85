// Package cookiestore keeps no session on the server: the whole record travels in the visitor's cookie, encrypted and
// authenticated with the manager's secrets (AES-256-GCM), deadlines included.
//
//	store, err := cookiestore.New(cookiestore.Options{})
//	sessions, err := session.New(store, session.Options{Secrets: secrets})
//
// It suits sessions that are small and whose loss of a parallel change would not matter. A read costs no round trip, a
// write costs nothing but bytes, in every request that follows.
//
// # What it cannot do
//
// The state is with the client, and so are its copies. Nobody can say how many there are, and which is the newest:
//
//   - Two requests that change one session at the same time do not keep both changes. The response that arrives last
//     wins. A request that only reads and is due for a touch sends its copy too.
//   - An older cookie that was kept works again until its own deadline: a cart, a credit, a role can be turned back.
//     What must not be turned back belongs into a database.
//   - Logout deletes the cookie in the browser that logs out. A copy of it works until its deadline.
//   - Sessions and All cannot list, and MaxPerUser cannot count: they give [session.ErrNotSupported]. So do Revoke and
//     RevokeUser without [Options.Revocations].
//   - Nothing can be changed after the headers of a response were sent. Such a change is refused, with the event
//     "late".
//   - Done is closed by a logout or revocation in this process, or on another node with [Options.Revocations]; not by
//     time.
//
// # Revocations
//
// With a store in [Options.Revocations], which must not be one that forgets, the server remembers the ids that were
// retired by Logout, Login, Regenerate, a renewal or Revoke, each for as long as a copy of it could live, and for each
// user the last RevokeUser. A request then costs one round trip to load, one more when somebody is signed in, and one
// to save. Logout is final, a renewed id is noticed when it is used after its grace, and RevokeUser ends all sessions
// of a user that began before it; it says 0, for nobody knows how many those are. Replay of an older copy of a session
// that goes on is still possible.
//
// # Size
//
// Browsers keep 4096 bytes of a cookie's name and value, counted together without the "=" and without the attributes
// (RFC 6265bis, section 5.6), and drop a larger one without a word. A session that needs more fails with
// [session.ErrTooLarge], and the cookie that the browser has stays. [Options.MaxChunks] allows more cookies for one
// session.
package cookiestore
