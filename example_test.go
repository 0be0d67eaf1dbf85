package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// newManager is what the examples have in common.
func newManager() *session.Manager {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	})
	if err != nil {
		panic(err)
	}
	return sessions
}

// browser sends a request with the cookies of the response before, and returns the response.
func browser(h http.Handler, before *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "https://app.example.com/", nil)
	if before != nil {
		for _, c := range before.Result().Cookies() {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The shortest program: a page that counts the visits of each visitor.
func Example() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()

	const visits = session.Key[int]("visits")
	page := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		visits.Update(s, func(n int) int { return n + 1 })
		fmt.Fprintf(w, "visit %d\n", visits.Or(s, 0))
	})

	server := httptest.NewTLSServer(page) // the cookie is Secure
	defer server.Close()
	first, err := server.Client().Get(server.URL)
	if err != nil {
		panic(err)
	}
	defer first.Body.Close()
	again, err := http.NewRequest("GET", server.URL, nil)
	if err != nil {
		panic(err)
	}
	for _, c := range first.Cookies() {
		again.AddCookie(c)
	}
	second, err := server.Client().Do(again)
	if err != nil {
		panic(err)
	}
	defer second.Body.Close()
	var text [100]byte
	n, _ := second.Body.Read(text[:])
	fmt.Print(string(text[:n]))
	// Output: visit 2
}

// Every wrong option is an error of New, which names the option.
func ExampleNew() {
	_, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.Secret("too short")},
	})
	fmt.Println(err)

	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		// in production from a file or the environment: see ParseSecrets
		Secrets:     []session.Secret{session.NewSecret()},
		IdleTimeout: 2 * time.Hour,
		Lifetime:    7 * 24 * time.Hour,
		RenewEvery:  time.Hour,
		Seal:        true,
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	fmt.Println(sessions)
	// Output:
	// session: Secrets: number 1 has 9 bytes; at least 32 random ones are needed, see NewSecret
	// session manager
}

// With Middleware a handler loads its session when it wants to; a request that does not costs nothing.
func ExampleManager_Middleware() {
	sessions := newManager()
	defer sessions.Close()

	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s, err := session.Load(r.Context())
		if err != nil { // the store is down: everybody stays signed in, and sees this page
			http.Error(w, "Please try again in a moment.", http.StatusServiceUnavailable)
			return
		}
		s.Set("theme", "dark") // before the response begins, so that the cookie can be sent
		fmt.Fprintf(w, "theme: %v", s.Get("theme"))
	})
	mux.HandleFunc("/about", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "no session here") })
	site := sessions.Middleware(mux)

	for _, path := range []string{"/", "/about"} {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Body, "- cookies:", len(w.Result().Cookies()))
	}
	// Output:
	// theme: dark - cookies: 1
	// no session here - cookies: 0
}

// HandlerFunc hands the session over, and answers itself when it cannot be loaded.
func ExampleManager_HandlerFunc() {
	sessions := newManager()
	defer sessions.Close()

	page := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if s.IsNew() {
			s.Set("name", "Ada")
		}
		fmt.Fprintf(w, "Hello, %v!", s.Get("name"))
	})

	w := browser(page, nil)
	c := w.Result().Cookies()[0]
	fmt.Println(w.Body)
	fmt.Println(c.Name, "Secure:", c.Secure, "HttpOnly:", c.HttpOnly, "SameSite is Lax:",
		c.SameSite == http.SameSiteLaxMode)
	// Output:
	// Hello, Ada!
	// __Host-Http-session Secure: true HttpOnly: true SameSite is Lax: true
}

// Keys are constants, and their values have a type.
func ExampleKey() {
	type Cart struct{ Items []string }
	const (
		cart = session.Key[Cart]("cart")
		lang = session.Key[string]("preferences.lang")
	)
	sessions := newManager()
	defer sessions.Close()
	s, err := sessions.Open(context.Background(), "")
	if err != nil {
		panic(err)
	}

	cart.Set(s, Cart{Items: []string{"coat"}})
	c, ok := cart.Get(s)
	fmt.Println(c.Items, ok)
	fmt.Println(lang.Or(s, "en"))
	_, err = lang.Lookup(s)
	fmt.Println(errors.Is(err, session.ErrNoValue))
	// Output:
	// [coat] true
	// en
	// true
}

// Two requests count at the same time, and no step is lost: the function runs again on what the other one left.
func ExampleKey_Update() {
	const count = session.Key[int]("count")
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	s, err := sessions.Open(ctx, "")
	if err != nil {
		panic(err)
	}
	count.Set(s, 10)
	if err := s.Save(ctx); err != nil {
		panic(err)
	}

	a, _ := sessions.Open(ctx, s.Token())
	b, _ := sessions.Open(ctx, s.Token())
	count.Update(a, func(n int) int { return n + 1 })
	count.Update(b, func(n int) int { return n + 1 })
	fmt.Println(a.Save(ctx), b.Save(ctx))

	s, _ = sessions.Open(ctx, s.Token())
	fmt.Println(count.Or(s, 0))
	// Output:
	// <nil> <nil>
	// 12
}

// A message that survives the redirect after a form, and is shown once.
func ExampleSession_Flash() {
	sessions := newManager()
	defer sessions.Close()

	form := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Flash("status", "Saved.")
		http.Redirect(w, r, "/profile", http.StatusSeeOther)
	})
	profile := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		fmt.Fprint(w, s.GetOr("status", "(nothing)"))
	})

	posted := browser(form, nil)
	fmt.Println(browser(profile, posted).Body)
	fmt.Println(browser(profile, posted).Body)
	// Output:
	// Saved.
	// (nothing)
}

// Login gives the session a new id, so that a ticket from before is worth nothing.
func ExampleSession_Login() {
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	s, err := sessions.Open(ctx, "")
	if err != nil {
		panic(err)
	}
	s.Set("cart", []string{"coat"})
	if err := s.Save(ctx); err != nil {
		panic(err)
	}
	before := s.Token()

	s.Login("ada", session.Remember(30*24*time.Hour))
	if err := s.Save(ctx); err != nil {
		panic(err)
	}
	fmt.Println(s.User(), s.Get("cart"))

	old, _ := sessions.Open(ctx, before)
	fmt.Println(old.IsNew(), old.Get("cart"))
	// Output:
	// ada [coat]
	// true <nil>
}

// A page on which a user sees where she is signed in, and ends all other sessions.
func ExampleManager_Sessions() {
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	var mine *session.Session
	for range 3 {
		s, err := sessions.Open(ctx, "")
		if err != nil {
			panic(err)
		}
		s.Login("ada")
		if err := s.Save(ctx); err != nil {
			panic(err)
		}
		mine = s
	}

	infos, err := sessions.Sessions(ctx, "ada")
	if err != nil {
		panic(err)
	}
	for _, info := range infos {
		fmt.Println(info.User, info.ID == mine.ID())
	}
	ended, err := sessions.RevokeUser(ctx, "ada", mine.ID())
	fmt.Println("ended", ended, err)
	// Unordered output:
	// ada false
	// ada false
	// ada true
	// ended 2 <nil>
}

// A mobile app keeps the ticket itself, and sends it in a header.
func ExampleHeader() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets:   []session.Secret{session.NewSecret()},
		Transport: session.Header("X-Session"),
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	api := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if s.User() == "" {
			s.Login("ada")
		}
		fmt.Fprint(w, s.User(), " ", s.IsNew())
	})

	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("POST", "/login", nil))
	fmt.Println(w.Body)

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Session", "Bearer "+w.Header().Get("X-Session"))
	w = httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output:
	// ada true
	// ada false
}

// A dot separates the steps of a path; Path escapes the dots of what users typed.
func ExamplePath() {
	sessions := newManager()
	defer sessions.Close()
	s, err := sessions.Open(context.Background(), "")
	if err != nil {
		panic(err)
	}

	s.Set(session.Path("drafts", "report.txt"), "text")
	fmt.Println(session.Path("drafts", "report.txt"))
	fmt.Println(s.Get("drafts"))
	// Output:
	// drafts.report\.txt
	// map[report.txt:text]
}

// To replace a secret, put the new one in front, and remove the old one when the longest session is over. Several nodes
// need two rounds, see Options.Secrets.
func ExampleParseSecrets() {
	encode := base64.StdEncoding.EncodeToString
	fresh, old := session.NewSecret(), session.NewSecret() // from a file, or the environment
	secrets, err := session.ParseSecrets("base64:" + encode(fresh) + ", base64:" + encode(old))
	fmt.Println(len(secrets), secrets, err)

	_, err = session.ParseSecrets("hunter2")
	fmt.Println(err)
	// Output:
	// 2 [[secret] [secret]] <nil>
	// session: secret 1 does not begin with "base64:"
}

// A source is asked every minute, so that a secret can be replaced without a restart.
func ExampleOptions_secretSource() {
	secrets := []session.Secret{session.NewSecret()} // from a file, or a vault
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		SecretSource: func(context.Context) ([]session.Secret, error) { return secrets, nil },
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	s, err := sessions.Open(context.Background(), "")
	fmt.Println(s.IsNew(), err)
	// Output: true <nil>
}

// A cookie of the application that anybody can read, and nobody can change.
func ExampleManager_SetSigned() {
	sessions := newManager()
	defer sessions.Close()

	set := httptest.NewRecorder()
	if err := sessions.SetSigned(set, &http.Cookie{Name: "theme", Value: "dark", Path: "/", MaxAge: 3600}); err != nil {
		panic(err)
	}

	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		theme, err := sessions.Signed(r, "theme")
		switch {
		case errors.Is(err, session.ErrNoCookie):
			theme = "light"
		case err != nil:
			http.Error(w, "The cookie is not ours: "+err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%s\n", theme)
	})
	fmt.Print(browser(page, set).Body)
	fmt.Print(browser(page, nil).Body)

	forged := httptest.NewRecorder()
	http.SetCookie(forged, &http.Cookie{Name: "theme", Value: "ZGFyaw"})
	fmt.Print(browser(page, forged).Body)
	// Output:
	// dark
	// light
	// The cookie is not ours: session: malformed
}

// A decision on the newest state, which is made again when another request was faster.
func ExampleSession_Atomic() {
	const seats = session.Key[int]("seats")
	errSoldOut := errors.New("sold out")
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	s, err := sessions.Open(ctx, "")
	if err != nil {
		panic(err)
	}
	seats.Set(s, 1)
	if err := s.Save(ctx); err != nil {
		panic(err)
	}

	take := func(s *session.Session) error {
		if seats.Or(s, 0) == 0 {
			return errSoldOut
		}
		seats.Update(s, func(n int) int { return n - 1 })
		return nil
	}
	a, _ := sessions.Open(ctx, s.Token())
	b, _ := sessions.Open(ctx, s.Token())
	fmt.Println(a.Atomic(ctx, take))
	fmt.Println(b.Atomic(ctx, take))
	// Output:
	// <nil>
	// sold out
}

// What a user may do changes in all of the user's sessions at once.
func ExampleManager_UpdateUser() {
	const plan = session.Key[string]("plan")
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	s, err := sessions.Open(ctx, "")
	if err != nil {
		panic(err)
	}
	s.Login("ada")
	if err := s.Save(ctx); err != nil {
		panic(err)
	}

	n, err := sessions.UpdateUser(ctx, "ada", func(s *session.Session) error {
		plan.Set(s, "gold")
		return nil
	})
	fmt.Println(n, err)
	s, _ = sessions.Open(ctx, s.Token())
	fmt.Println(plan.Or(s, "free"))
	// Output:
	// 1 <nil>
	// gold
}

// Middleware of your own: it reads the manager's clock, and lets the manager answer when the store fails.
func ExampleManager_Fail() {
	sessions := newManager()
	defer sessions.Close()
	banner := func(next http.Handler) http.Handler {
		return sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sessions.Load(r.Context())
			if err != nil {
				sessions.Fail(w, r, err)
				return
			}
			if s.User() != "" && sessions.Now().Sub(s.LoginAt()) > 24*time.Hour {
				fmt.Fprint(w, "You have been signed in for more than a day. ")
			}
			next.ServeHTTP(w, r)
		}))
	}
	page := banner(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "The page.") }))
	fmt.Println(browser(page, nil).Body)
	// Output: The page.
}
