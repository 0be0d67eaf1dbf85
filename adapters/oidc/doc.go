// Package oidcsession lets an OpenID provider end the sessions that people began through it. The folder is named after
// the protocol; the package is not, because a program that uses it imports package oidc of go-oidc as well.
//
//	links, err := oidcsession.New(sessions, store, provider, clientID, oidcsession.Options{})
//
//	err = links.Login(ctx, s, user, idToken)   // where the site signs people in
//	mux.Handle("POST /backchannel-logout", links.Logout()) // registered with the provider
//
// Login links the session to the sign-in at the provider. When that ends there, the provider sends a logout token to
// the endpoint (OpenID Connect Back-Channel Logout 1.0), and the session ends, on all nodes, whatever its id is by
// then: at its next request, Session.EndedBy returns session.ReasonProvider. A logout that overtakes its sign-in wins:
// Login then returns ErrLoggedOut.
//
// Links.Receiver is for providers that send security events instead: session-revoked and credential-change of the
// Continuous Access Evaluation Profile (CAEP), by push (RFC 8935).
//
// The endpoints are for the provider's server, which has no session and no cookie: mount them where no CSRF token is
// required.
package oidcsession
