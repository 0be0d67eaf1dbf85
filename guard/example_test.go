package guard_test

import (
	"context"
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

// newGuard is what the examples have in common.
func newGuard(opts guard.Options) (*session.Manager, *guard.Guard) {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	})
	if err != nil {
		panic(err)
	}
	g, err := guard.New(sessions, opts)
	if err != nil {
		panic(err)
	}
	return sessions, g
}

// login signs a user in and returns the cookies of that browser.
func login(sessions *session.Manager, user string, more ...func(*session.Session)) []*http.Cookie {
	w := httptest.NewRecorder()
	sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login(user)
		for _, fn := range more {
			fn(s)
		}
	}).ServeHTTP(w, httptest.NewRequest("POST", "/login", nil))
	return w.Result().Cookies()
}

// ask sends a request with the cookies.
func ask(h http.Handler, r *http.Request, cookies []*http.Cookie) *httptest.ResponseRecorder {
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// get asks for a page as an API client does.
func get(h http.Handler, path string, cookies []*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", "application/json")
	return ask(h, r, cookies)
}

func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, text) })
}

// A site with a part for users, one for administrators, and forms that other sites cannot send.
func Example() {
	sessions, g := newGuard(guard.Options{LoginPage: "/login"})
	defer sessions.Close()
	mux := http.NewServeMux()
	mux.Handle("/account", g.User(say("your account")))
	mux.Handle("/admin", g.Role("admin")(say("all accounts")))
	mux.Handle("/password", g.Fresh(10*time.Minute)(say("a new password")))
	mux.Handle("/devices", g.Sessions())
	app := sessions.Middleware(g.CSRF(mux))

	ada := login(sessions, "ada")
	fmt.Print(get(app, "/account", ada).Body)
	fmt.Print(get(app, "/admin", ada).Body)
	fmt.Print(get(app, "/account", nil).Body)
	fmt.Println(ask(app, httptest.NewRequest("GET", "/account", nil), nil).Header().Get("Location"))
	// Output:
	// your account
	// {"title":"Forbidden","status":403,"detail":"You are not allowed to do this.","reason":"role"}
	// {"title":"Unauthorized","status":401,"detail":"Please sign in first.","reason":"user","login":"/login?return=%2Faccount"}
	// /login?return=%2Faccount
}

func ExampleNew() {
	sessions, _ := newGuard(guard.Options{})
	defer sessions.Close()
	_, err := guard.New(sessions, guard.Options{LoginPage: "https://login.example.com/"})
	fmt.Println(err)
	// Output: guard: Options.LoginPage must be a path of this site that begins with one slash
}

func ExampleGuard_User() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	account := g.User(say("your account"))
	fmt.Print(get(account, "/account", login(sessions, "ada")).Body)
	fmt.Println(get(account, "/account", nil).Code)
	// Output:
	// your account
	// 401
}

// After the login the visitor goes where he wanted to go, if that is a page of this site.
func ExampleReturnPath() {
	done := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// … check the password, s.Login(user), and then:
		http.Redirect(w, r, guard.ReturnPath(r, "/home"), http.StatusSeeOther)
	})
	for _, wanted := range []string{"/account?tab=2", "//evil.example", `/\evil.example`, ""} {
		r := httptest.NewRequest("POST", "/login?return="+url.QueryEscape(wanted), nil)
		fmt.Println(ask(done, r, nil).Header().Get("Location"))
	}
	// Output:
	// /account?tab=2
	// /home
	// /home
	// /home
}

func ExampleLocalPath() {
	fmt.Println(guard.LocalPath("/account?tab=2"), guard.LocalPath("//evil.example"),
		guard.LocalPath("/%5cevil.example"))
	// Output: true false false
}

func ExampleGuard_Fresh() {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Now:     func() time.Time { return now },
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	g, err := guard.New(sessions, guard.Options{LoginPage: "/login"})
	if err != nil {
		panic(err)
	}
	password := g.Fresh(10 * time.Minute)(say("a new password"))

	ada := login(sessions, "ada")
	fmt.Print(get(password, "/password", ada).Body)
	now = now.Add(time.Hour)
	refusal := get(password, "/password", ada).Body.String()
	fmt.Print(strings.ReplaceAll(refusal, ",", ",\n"))
	// Output:
	// a new password
	// {"title":"Unauthorized",
	// "status":401,
	// "detail":"Please sign in again to confirm that it is you.",
	// "reason":"fresh",
	// "login":"/login?return=%2Fpassword",
	// "max_age":600}
}

// The roles are kept in the session, and change on all devices of the user at once.
func ExampleGuard_Role() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	admin := g.Role("admin", "owner")(say("all accounts"))
	ada := login(sessions, "ada", func(s *session.Session) { guard.Roles.Set(s, []string{"admin"}) })
	fmt.Println(get(admin, "/", ada).Code)

	_, err := sessions.UpdateUser(context.Background(), "ada", func(s *session.Session) error {
		guard.Roles.Set(s, []string{"editor"})
		return nil
	})
	fmt.Println(get(admin, "/", ada).Code, err)
	// Output:
	// 200
	// 403 <nil>
}

func ExampleGuard_Permission() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	ada := login(sessions, "ada", func(s *session.Session) { guard.Permissions.Set(s, []string{"read", "write"}) })
	fmt.Println(get(g.Permission("read", "write")(say("ok")), "/", ada).Code)
	fmt.Println(get(g.Permission("read", "delete")(say("ok")), "/", ada).Code)
	// Output:
	// 200
	// 403
}

// The roles are looked up where they are kept, so that a change holds from the next request.
func ExampleLookup() {
	table := map[string][]string{"ada": {"admin"}}
	sessions, g := newGuard(guard.Options{Roles: func(_ *http.Request, s *session.Session) ([]string, error) {
		return table[s.User()], nil
	}})
	defer sessions.Close()
	admin, ada := g.Role("admin")(say("all accounts")), login(sessions, "ada")
	fmt.Println(get(admin, "/", ada).Code)
	table["ada"] = nil
	fmt.Println(get(admin, "/", ada).Code)
	// Output:
	// 200
	// 403
}

// An answer of the application's own.
func ExampleRefusal() {
	sessions, g := newGuard(guard.Options{Refuse: func(w http.ResponseWriter, _ *http.Request, no guard.Refusal) {
		w.WriteHeader(no.Status)
		fmt.Fprintf(w, "[%s] %s", no.Reason, no.Text)
	}})
	defer sessions.Close()
	fmt.Println(get(g.User(say("your account")), "/", nil).Body)
	// Output: [user] Please sign in first.
}

func ExampleGuard_Rate() {
	sessions, g := newGuard(guard.Options{})
	defer sessions.Close()
	api := g.Rate(guard.Limit{Requests: 2, Per: time.Hour})(say("data"))
	ada := login(sessions, "ada")
	for range 3 {
		w := get(api, "/api", ada)
		fmt.Println(w.Code, w.Header().Get("RateLimit-Policy"), strings.Split(w.Header().Get("RateLimit"), ";t=")[0])
	}
	// Output:
	// 200 "default";q=2;w=3600 "default";r=1
	// 200 "default";q=2;w=3600 "default";r=0
	// 429 "default";q=2;w=3600 "default";r=0
}

// With a store for the counts, all sessions of a user have one limit together.
func ExampleLimit() {
	store := memstore.New(memstore.Options{})
	sessions, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		panic(err)
	}
	export := g.Rate(guard.Limit{Name: "export", Requests: 1, Per: time.Hour, Users: store})(say("all my data"))
	phone, desk := login(sessions, "ada"), login(sessions, "ada")
	fmt.Println(get(export, "/", phone).Code, get(export, "/", desk).Code,
		get(export, "/", login(sessions, "bob")).Code)
	// Output: 200 429 200
}

func ExampleGuard_Sessions() {
	sessions, g := newGuard(guard.Options{LoginPage: "/login"})
	defer sessions.Close()
	http.Handle("/devices", g.Sessions())
	phone, desk := login(sessions, "ada"), login(sessions, "ada")

	r := httptest.NewRequest("POST", "/devices", strings.NewReader(`{"others":true}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	fmt.Print(ask(g.Sessions(), r, phone).Body)
	fmt.Println(get(g.User(say("hello")), "/", phone).Code, get(g.User(say("hello")), "/", desk).Code)
	// Output:
	// {"ended":1}
	// 200 401
}

func ExampleSessions() {
	sessions, _ := newGuard(guard.Options{})
	defer sessions.Close()
	devices, err := guard.Sessions(sessions)
	if err != nil {
		panic(err)
	}
	page := ask(devices, httptest.NewRequest("GET", "/devices", nil), login(sessions, "ada"))
	fmt.Println(page.Code, strings.Contains(page.Body.String(), "this device"))
	// Output: 200 true
}

func ExampleDevice() {
	fmt.Println(guard.Device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
	fmt.Println(guard.Device("<script>"))
	// Output:
	// Firefox on Linux
	// Unknown device
}
