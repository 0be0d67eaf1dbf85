// Package passkey lets people register passkeys, sign in by them, and confirm by them that it is still they. The
// cryptography is that of [github.com/go-webauthn/webauthn]; this package keeps its challenges where nobody can use one
// twice.
//
//	p, err := passkey.New(sessions, accounts, passkey.Options{Origins: []string{"https://example.com"}})
//	…
//	mux.Handle("POST /passkey/register/", g.Fresh(10*time.Minute)(p.Register()))
//	mux.Handle("POST /passkey/sign-in/", p.SignIn())
//	mux.Handle("POST /passkey/confirm/", p.Confirm())
//	mux.Handle("GET /passkey.js", p.Script())
//
// Each handler serves two paths, one that ends in /begin and one that ends in /finish. The functions of the script,
// an ES module, send the requests:
//
//	import {register, signIn, confirm} from "/passkey.js";
//	await signIn("/passkey/sign-in");
//	location.assign("/");
//
// # What a challenge is good for
//
// One answer uses a challenge up, right or wrong, whatever runs beside it on other nodes. A challenge is good for five
// minutes, for what it was asked for, and in the session that it was asked in. It ends with that session, and with a
// Login in it.
//
// A visitor without a stored session gets one for the challenge alone, which ends after five minutes. Its ticket is in
// a cookie of its own, so that the visitor's session is not touched: nothing is stored until somebody presses the
// button. Whoever has signed in by other means meanwhile cannot use that challenge any more. Where tickets come in a
// header, the challenge begins the visitor's session.
//
// # Other sites
//
// A browser answers only for the origins of Options, and the answer says which it was. The requests are POSTs of
// application/json, which no other site can send without asking first. Put guard.CSRF around them as around everything:
// the script's requests have Sec-Fetch-Site, and for older browsers it sends the token of a
// <meta name="csrf-token"> element.
//
// # What is answered
//
// A beginning is answered with the options for the browser, an end with 204, and what is refused with
// application/problem+json. It does not say more than that the passkey was not accepted; why is in the event "refused"
// and in the log. guard.SignIn around the path that ends in /finish slows down who tries often. Around the other it
// would count beginnings as failures. Whoever puts something around one of the two paths serves both by their full
// names, for a pattern that ends in a slash leads to the handler by other paths too.
package passkey
