// Package devicebound makes sessions that a stolen cookie does not open. A browser that can makes a key for each
// sign-in, which cannot leave the device, and shows every few minutes that it still has it; whoever has copied only the
// cookies is not signed in.
//
//	binder, err := devicebound.New(sessions, devicebound.Options{Policy: devicebound.Enforce})
//	…
//	http.ListenAndServe(address, binder.Middleware(sessions.Middleware(g.CSRF(mux))))
//
// It speaks Device Bound Session Credentials (DBSC) of the W3C, by the editor's draft of 17 February 2026, as Chromium
// 156 does. That is a draft: this package is the one part of the module whose API may change before version 2. Other
// browsers ignore it, and have sessions as without it, unless the policy is [Require]. It needs HTTPS.
//
// Each Login offers the browser a registration, in the same response. The browser makes a key, and posts a proof of it
// to Options.RegisterPath. From then on the session is bound. Its ticket is worth nothing without a second cookie, the
// bound cookie, which holds for Options.Lifetime; the browser gets the next one for a new proof, at
// Options.RefreshPath, before it sends a request without one. The key, and what is known of its proofs, are in the
// session's record: they stay when the id is renewed, and end with the session. A Login begins a new binding, since
// whoever was there before could have registered a key of their own.
//
// The bound cookie is checked without the store, so a request costs what it costs without this package. A proof is one
// load and one save, and asking for one is one load.
//
// What it does not stop is malware that stays on the device, or was there at the sign-in.
package devicebound
