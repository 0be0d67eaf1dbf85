// Package guard is middleware on top of a session. It asks for a signed-in user, a role, a recent sign-in, or a
// confirmation of one operation; it refuses forms that other sites send; it limits requests and attempts to sign in;
// and it has a page on which people see their devices.
//
// Each is a plain func(http.Handler) http.Handler and works alone: one that needs a session loads it, even without the
// manager's middleware around it. Letting a request through costs no more than loading the session, except with Rate,
// SignIn and Once, whose comments say what they cost.
//
//	g, err := guard.New(sessions, guard.Options{LoginPage: "/login"})
//	…
//	mux.Handle("/account", g.User(account))
//	mux.Handle("/admin/", g.Role("admin")(admin))
//	mux.Handle("/password", g.Fresh(10*time.Minute)(password))
//	mux.Handle("/transfer", g.Once("transfer", describe)(transfer))
//	mux.Handle("/api/", g.Rate(guard.Limit{Requests: 100, Per: time.Minute})(api))
//	mux.Handle("POST /login", g.SignIn(account)(login))
//	mux.Handle("/devices", g.Sessions())
//	http.ListenAndServe(address, sessions.Middleware(g.CSRF(mux)))
//
// A request that is not let through gets an answer that fits the client. The answer is application/problem+json if the
// request asks for JSON, through Accept or as a script's fetch, or if it asks for nothing in particular and tickets
// come in a header. A browser gets a small page, or is sent to the login page and back afterwards. If the store fails,
// the manager's Options.OnError answers.
package guard
