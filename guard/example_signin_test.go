package guard_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// The form finds out by itself whether a sign-in succeeded. With a store for the counts, all nodes count together.
func ExampleGuard_SignIn() {
	store := memstore.New(memstore.Options{})
	sessions, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	g, err := guard.New(sessions, guard.Options{SignIn: guard.SignInLimits{Store: store}})
	if err != nil {
		panic(err)
	}
	account := func(r *http.Request) string { return strings.ToLower(r.PostFormValue("user")) }
	login := g.SignIn(account)(sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if r.PostFormValue("password") != "correct horse" {
			http.Error(w, "That name and password do not match.", http.StatusUnprocessableEntity)
			return
		}
		s.Login(account(r))
	}))

	var codes []int
	for range 11 { // somebody guesses, whose browser keeps no cookies
		codes = append(codes, postForm(login, "Ann", "guess", nil).Code)
	}
	fmt.Println(codes)
	owner := postForm(login, "Ann", "correct horse", nil)
	fmt.Println("a new device:", owner.Code, "after", owner.Header().Get("Retry-After"), "seconds")
	// Output:
	// [422 422 422 422 422 422 422 422 422 422 429]
	// a new device: 429 after 60 seconds
}

// A script sends JSON. One function reads it for both: the limit and the handler see the same account.
func ExampleGuard_SignIn_json() {
	sessions, g := newGuard(guard.Options{SignIn: guard.SignInLimits{Attempts: 3}})
	defer sessions.Close()
	type credentials struct{ User, Password string }
	read := func(r *http.Request) (in credentials, err error) {
		err = json.NewDecoder(r.Body).Decode(&in)
		in.User = strings.ToLower(in.User)
		return in, err
	}
	account := func(r *http.Request) string {
		in, _ := read(r) // the handler answers what is wrong
		return in.User
	}
	login := g.SignIn(account)(sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		in, err := read(r)
		if err != nil {
			http.Error(w, "Send a JSON object with user and password.", http.StatusBadRequest)
			return
		}
		if in.Password != "correct horse" {
			http.Error(w, "That name and password do not match.", http.StatusUnprocessableEntity)
			return
		}
		s.Login(in.User)
	}))
	login = http.MaxBytesHandler(login, 4096) // SignIn by itself reads up to 1 MiB

	post := func(body string) int {
		w := httptest.NewRecorder()
		login.ServeHTTP(w, httptest.NewRequest("POST", "https://app.example.com/api/login", strings.NewReader(body)))
		return w.Code
	}
	for range 4 {
		fmt.Println(post(`{"user": "Ann", "password": "guess"}`))
	}
	fmt.Println(post(`{"user": "Bob", "password": "correct horse"}`))
	fmt.Println(post(strings.Repeat(" ", 5000)))
	// Output:
	// 422
	// 422
	// 422
	// 429
	// 200
	// 413
}

func postForm(h http.Handler, user, password string, cookies []*http.Cookie) *httptest.ResponseRecorder {
	form := url.Values{"user": {user}, "password": {password}}.Encode()
	r := httptest.NewRequest("POST", "https://app.example.com/login", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The password is the first of two steps. A right one is no failure, though nobody is signed in yet.
func ExampleStepDone() {
	sessions, g := newGuard(guard.Options{SignIn: guard.SignInLimits{Attempts: 1}})
	defer sessions.Close()
	user := func(r *http.Request) string { return r.PostFormValue("user") }
	password := g.SignIn(user)(sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if r.PostFormValue("password") != "correct horse" {
			http.Error(w, "That name and password do not match.", http.StatusUnprocessableEntity)
			return
		}
		s.Set("pending", user(r))
		guard.StepDone(r)
		http.Redirect(w, r, "/code", http.StatusSeeOther) // whose handler is behind SignIn, too, and calls Login
	}))
	for range 3 {
		fmt.Println(postForm(password, "ann", "correct horse", nil).Code)
	}
	// Output:
	// 303
	// 303
	// 303
}

// A device on which people were signed in lets them in, whatever strangers do.
func ExampleGuard_KnowDevice() {
	sessions, g := newGuard(guard.Options{SignIn: guard.SignInLimits{Attempts: 1}})
	defer sessions.Close()
	login := g.SignIn(func(r *http.Request) string { return r.PostFormValue("user") })(sessions.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
			if r.PostFormValue("password") == "correct horse" {
				s.Login(r.PostFormValue("user"))
			}
		}))
	forgotten := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The token in the address, which was sent by mail, is right.
		if err := g.KnowDevice(w, r, "ann"); err != nil {
			sessions.Fail(w, r, err)
		}
	})
	postForm(login, "ann", "guess", nil)
	fmt.Println(postForm(login, "ann", "correct horse", nil).Code)
	cookies := get(forgotten, "/forgotten", nil).Result().Cookies()
	fmt.Println(postForm(login, "ann", "correct horse", cookies).Code)
	// Output:
	// 429
	// 200
}

// Strangers have no session that could be counted. Behind a proxy, Options.ClientIP of the manager finds their address.
func ExampleBy() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	search := g.Rate(guard.Limit{Name: "search", By: guard.Address, Requests: 2, Per: time.Minute})(say("results"))
	for range 3 {
		fmt.Println(get(search, "/search", nil).Code)
	}
	// Output:
	// 200
	// 200
	// 429
}
