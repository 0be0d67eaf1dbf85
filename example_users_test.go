package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"time"

	"github.com/coatcheck/session"
)

// Whoever changes a password gets a new id here, and is signed out everywhere else.
func ExampleManager_RevokeUser() {
	sessions := newManager()
	defer sessions.Close()
	signIn := sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") })
	laptop, phone := browser(signIn, nil), browser(signIn, nil)

	change := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Regenerate()
		ended, err := sessions.RevokeUser(r.Context(), s.User(), s.ID())
		if err != nil {
			sessions.Fail(w, r, err)
			return
		}
		fmt.Fprintf(w, "%d other session ended", ended)
	})
	laptop = browser(change, laptop)
	fmt.Println(laptop.Body)

	who := sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Fprintf(w, "%q", s.User())
	})
	fmt.Println(browser(who, laptop).Body, browser(who, phone).Body)
	// Output:
	// 1 other session ended
	// "ada" ""
}

// Whoever was signed out is told why by the first page that they load, for up to a day.
func ExampleManager_RevokeUserFor() {
	sessions := newManager()
	defer sessions.Close()
	signIn := sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") })
	phone := browser(signIn, nil)

	if _, err := sessions.RevokeUserFor(context.Background(), session.ReasonPassword, "ada"); err != nil {
		fmt.Println(err)
	}
	login := sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		switch s.EndedBy() {
		case session.ReasonPassword:
			fmt.Fprint(w, "You were signed out because your password was changed.")
		case session.ReasonIdle, session.ReasonLifetime:
			fmt.Fprint(w, "Please sign in again.")
		}
	})
	fmt.Println(browser(login, phone).Body)
	// Output:
	// You were signed out because your password was changed.
}

// A sign-in that fails shows the form again in the same response. A Flash and a redirect would store a session for
// everybody who tries a password.
func ExampleSession_TryLogin() {
	sessions := newManager()
	defer sessions.Close()
	signIn := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		name, password := r.FormValue("name"), r.FormValue("password")
		if password != "a long one" {
			http.Error(w, "wrong name or password", http.StatusUnauthorized)
			return
		}
		if err := s.TryLogin(name); err != nil { // an empty name, or one that looks like another
			http.Error(w, "this is no name", http.StatusBadRequest)
		}
	})
	try := func(name, password string) {
		form := url.Values{"name": {name}, "password": {password}}.Encode()
		w := httptest.NewRecorder()
		signIn.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://app.example.com/?"+form, nil))
		fmt.Println(w.Code, "cookies:", len(w.Result().Cookies()))
	}
	try("ada", "a guess")
	try("ada ", "a long one")
	try("ada", "a long one")
	// Output:
	// 401 cookies: 0
	// 400 cookies: 0
	// 200 cookies: 1
}

// "Keep me signed in": the cookie survives closing the browser.
func ExampleRemember() {
	sessions := newManager()
	defer sessions.Close()
	signIn := func(how ...session.LoginOption) http.Handler {
		return sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			s.Login("ada", how...)
		})
	}
	survives := func(w *httptest.ResponseRecorder) bool { return w.Result().Cookies()[0].MaxAge > 0 }
	fmt.Println(survives(browser(signIn(), nil)), survives(browser(signIn(session.Remember(30*24*time.Hour)), nil)))
	// Output: false true
}

// Without HTTP: a job, a frame of a WebSocket or a call of gRPC brings the ticket, and saves what it changes.
func ExampleManager_Open() {
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()

	s, err := sessions.Open(ctx, "") // a new one
	if err != nil {
		panic(err)
	}
	s.Set("theme", "dark")
	if err := s.Save(ctx); err != nil {
		panic(err)
	}

	again, err := sessions.Open(ctx, s.Token())
	if err != nil {
		panic(err)
	}
	forged, err := sessions.Open(ctx, "v1.forged.ticket")
	fmt.Println(again.Get("theme"), forged.IsNew(), err)
	// Output: dark true <nil>
}

// Behind a proxy the address of the peer is the proxy's. Only what a trusted proxy says is believed.
func ExampleClientIPFrom() {
	clientIP := session.ClientIPFrom(netip.MustParsePrefix("10.0.0.0/8")) // for Options.ClientIP
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Forwarded-For", "192.0.2.66, 203.0.113.7")
	for _, peer := range []string{"10.0.0.5:1234", "198.51.100.9:1234"} {
		r.RemoteAddr = peer
		fmt.Println(clientIP(r))
	}
	// Output:
	// 203.0.113.7
	// 198.51.100.9
}

// Moving from another library signs nobody out: while both run, under different cookie names, a visitor who comes with
// an old session only is signed in here.
func ExampleSession_Login_takeOver() {
	sessions := newManager()
	defer sessions.Close()
	oldUser := func(r *http.Request) string { // asks the other library
		if _, err := r.Cookie("old-session"); err != nil {
			return ""
		}
		return "ada"
	}
	page := sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if user := oldUser(r); s.User() == "" && user != "" {
			s.Login(user)
		}
		fmt.Fprintf(w, "hello, %s", s.User())
	})
	before := httptest.NewRecorder()
	http.SetCookie(before, &http.Cookie{Name: "old-session", Value: "whatever the other library made"})
	first := browser(page, before)
	second := browser(page, first) // with the new session alone
	fmt.Println(first.Body, "-", second.Body)
	// Output:
	// hello, ada - hello, ada
}

// Another site vouches for the user, who signed in there an hour ago. guard.Fresh(10*time.Minute) asks for the password
// again, and the session ends when the other site says so.
func ExampleLoginAt() {
	sessions := newManager()
	defer sessions.Close()
	authTime := sessions.Now().Add(-time.Hour) // as the claim auth_time says
	sessionExpiry := sessions.Now().Add(8 * time.Hour)

	s, err := sessions.Open(context.Background(), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Login("ada", session.LoginAt(authTime))
	s.SetDeadline(sessionExpiry)
	if err := s.Save(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.LoginAt().Equal(authTime), s.ExpiresAt().Equal(sessionExpiry))
	// Output: true true
}

// A new version of the application calls a value by another name, and no session loses it.
func ExampleManager_UpdateAll() {
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	s, err := sessions.Open(ctx, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Set("colour", "red")
	if err := s.Save(ctx); err != nil {
		fmt.Println(err)
		return
	}

	n, err := sessions.UpdateAll(ctx, func(s *session.Session) error {
		if v := s.Pop("colour"); v != nil {
			s.Set("color", v)
		}
		return nil
	})
	fmt.Println(n, err)
	s, err = sessions.Open(ctx, s.Token())
	fmt.Println(s.All(), err)
	// Output:
	// 1 <nil>
	// map[color:red] <nil>
}
