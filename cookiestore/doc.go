// Package cookiestore keeps no session on the server: the whole record travels in the visitor's cookie, encrypted and
// authenticated with the manager's secrets (XAES-256-GCM), deadlines included.
//
//	store, err := cookiestore.New(cookiestore.Options{})
//	sessions, err := session.New(store, session.Options{Secrets: secrets})
//
// It suits small sessions for which losing a parallel change does not matter. A read costs no round trip. A write costs
// nothing but bytes, in every request that follows.
//
// # What it cannot do
//
// The client has the state, and any copies of it. Nobody can say how many there are, or which is the newest:
//
//   - Two requests that change one session at the same time do not keep both changes. The response that arrives last
//     wins. A request that only reads, but is due for a touch, sends its copy, too.
//   - An older cookie that somebody kept works again until its own deadline: a cart, a credit, a role can be turned
//     back. What must not be turned back belongs in a database.
//   - Logout deletes the cookie in the browser that logs out. A copy of the cookie works until its deadline, unless
//     [Options.Revocations] is set.
//   - Sessions and All cannot list, and MaxPerUser cannot count: they return [session.ErrNotSupported]. So do Revoke
//     and RevokeUser without [Options.Revocations].
//   - Nothing can be changed once the headers of a response are sent. Such a change is refused, with the event "late".
//   - Done is closed by a logout or revocation in this process, or on another node with [Options.Revocations], but not
//     by time.
//
// # Revocations
//
// With a store in [Options.Revocations], which must not be one that forgets, the server remembers the ids that Logout,
// Login, Regenerate or a renewal retired, each for as long as a copy of it could live. That of a renewal it remembers
// for at least a day, unless the lifetime of the session ends before that: a session in use that is renewed every ten
// minutes has 144 entries after a day, even if its idle timeout is 15 minutes. It never forgets what Revoke retired,
// the last RevokeUser for each user, and an id that a Logout reached only by an earlier id or a former cookie.
//
// A request then costs one round trip to load, one more if somebody is signed in, and one to save. Logout is final, a
// renewed id is noticed if it is used after its grace, and RevokeUser ends all sessions of a user that began before it;
// it returns 0, because nobody knows how many those are. An older copy of a session that goes on can still be replayed.
//
// # Size
//
// Browsers keep 4096 bytes of a cookie's name and value, counted together without the "=" and the attributes (RFC
// 6265bis, section 5.6), and silently drop a larger one. A session that needs more fails with [session.ErrTooLarge],
// and the browser keeps the cookie that it has. [Options.MaxChunks] allows more cookies for one session.
package cookiestore
