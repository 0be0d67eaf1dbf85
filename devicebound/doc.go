// Package devicebound makes sessions that a stolen cookie does not open. A browser that supports it makes a key for
// each sign-in, which cannot leave the device, and proves every few minutes that it still has the key; a copy of the
// cookies alone signs nobody in.
//
//	binder, err := devicebound.New(sessions, devicebound.Options{Policy: devicebound.Enforce})
//	…
//	http.ListenAndServe(address, binder.Middleware(sessions.Middleware(g.CSRF(mux))))
//
// It speaks Device Bound Session Credentials (DBSC) of the W3C, by the editor's draft of 17 February 2026, as Chromium
// 156 does. That is a draft: this package is the one part of the module whose API may change before version 2. Other
// browsers ignore it and have ordinary sessions, unless the policy is [Require]. It needs HTTPS.
//
// Each Login offers the browser a registration, in the same response. The browser makes a key, and posts a proof of it
// to Options.RegisterPath. From then on the session is bound. Its ticket is worth nothing without a second cookie, the
// bound cookie, which is valid for Options.Lifetime. Once it has ended, the browser holds its next request back, sends
// a new proof to Options.RefreshPath, and gets the next bound cookie. The key and the state of its proofs are in the
// session's record: they stay when the id is renewed, and end with the session. A Login begins a new binding, because
// somebody who used the session before could have registered a key of their own.
//
// The bound cookie is checked without the store, so a request costs what it costs without this package. A proof costs
// one load and one save, and asking for one costs one load.
//
// It does not stop malware that stays on the device, or was there at the sign-in.
package devicebound
