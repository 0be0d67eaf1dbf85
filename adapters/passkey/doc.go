// Package passkey lets people register passkeys, sign in with them, and confirm with them that it is still the same
// person. The cryptography is that of [github.com/go-webauthn/webauthn]; this package keeps its challenges where nobody
// can use one twice.
//
//	p, err := passkey.New(sessions, accounts, passkey.Options{Origins: []string{"https://example.com"}})
//	…
//	mux.Handle("POST /passkey/register/", g.Fresh(10*time.Minute)(p.Register()))
//	mux.Handle("POST /passkey/sign-in/", p.SignIn())
//	mux.Handle("POST /passkey/confirm/", p.Confirm())
//	mux.Handle("GET /passkey.js", p.Script())
//
// Each handler serves two paths, one that ends in /begin and one that ends in /finish. The functions of the script, an
// ES module, send the requests:
//
//	import {register, signIn, confirm} from "/passkey.js";
//	await signIn("/passkey/sign-in");
//	location.assign("/");
//
// # What a challenge is good for
//
// One answer uses a challenge up, right or wrong, whatever happens at the same time on other nodes. A challenge is good
// for five minutes, for what it was asked for, and in the session that it was asked in. It ends with that session, and
// with a Login in it.
//
// A visitor without a stored session gets one that holds nothing but the challenge and ends after five minutes. Its
// ticket is in a cookie of its own, so the visitor's session is not touched, and nothing is stored until somebody
// presses the button. A visitor who has signed in some other way in the meantime can no longer use that challenge.
// Where tickets come in a header, the challenge begins the visitor's session.
//
// # Other sites
//
// A browser answers only for the origins of Options, and the answer says which it was. The requests are POSTs of
// application/json, which no other site can send without asking first. Put guard.CSRF around them as around everything
// else: the script's requests have Sec-Fetch-Site, and for older browsers it sends the token of a <meta
// name="csrf-token"> element.
//
// # What is answered
//
// A request to /begin is answered with the options for the browser, one to /finish with 204, and one that is refused
// with application/problem+json. The refusal says only that the passkey was not accepted; the reason is in the event
// "refused" and in the log. Put guard.SignIn around the path that ends in /finish, to slow down clients that try often.
// Around the other path it would count each beginning as a failure. If you put something around one of the two paths,
// register both by their full names: a pattern that ends in a slash matches other paths, too.
package passkey
