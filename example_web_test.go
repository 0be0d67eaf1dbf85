package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// brokenStore is a store that can break, as when its server is down.
type brokenStore struct {
	*memstore.Store
	err error
}

func (b *brokenStore) Load(ctx context.Context, id string) (*session.Record, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Load(ctx, id)
}

// In frameworks a handler returns its error. Echo asks that for the status by itself; where yours does not, this is all
// that it takes. The text can go to the client, and the cause to the log.
func ExampleLoad() {
	store := &brokenStore{Store: memstore.New(memstore.Options{})}
	sessions, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	page := func(w http.ResponseWriter, r *http.Request) error {
		s, err := session.Load(r.Context())
		if err != nil {
			return err
		}
		s.Login("ada")
		_, err = fmt.Fprintln(w, "hello", s.User())
		return err
	}
	app := sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := page(w, r)
		var has interface{ StatusCode() int }
		if errors.As(err, &has) {
			fmt.Println("log:", errors.Unwrap(err))
			http.Error(w, err.Error(), has.StatusCode())
		}
	}))

	w := browser(app, nil)
	fmt.Print(w.Code, " ", w.Body)
	store.err = errors.New("dial tcp 10.0.0.7:5432: connection refused")
	w = browser(app, w)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 200 hello ada
	// log: session: the store is unavailable: dial tcp 10.0.0.7:5432: connection refused
	// 503 session: the store is unavailable
}

// One line around the application, and one in a handler.
func ExampleFrom() {
	sessions := newManager()
	defer sessions.Close()
	const visits = session.Key[int]("visits")

	app := http.NewServeMux()
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s := session.From(r.Context())
		visits.Update(s, func(n int) int { return n + 1 })
		fmt.Fprintln(w, "visit", visits.Or(s, 0))
	})
	site := sessions.Preload(app)

	w := browser(site, nil)
	fmt.Print(w.Body)
	fmt.Print(browser(site, w).Body)
	// Output:
	// visit 1
	// visit 2
}

// A store that is down is answered before the application runs.
func ExampleManager_Preload() {
	store := &brokenStore{Store: memstore.New(memstore.Options{})}
	sessions, err := session.New(store, session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	site := sessions.Preload(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session.From(r.Context()).Login("ada")
		fmt.Fprintln(w, "hello", session.From(r.Context()).User())
	}))

	w := browser(site, nil)
	fmt.Print(w.Code, " ", w.Body)
	store.err = errors.New("dial tcp 10.0.0.7:5432: connection refused")
	w = browser(site, w)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 200 hello ada
	// 503 Please try again in a moment.
}

// One manager for browsers and apps: a browser keeps its ticket in the cookie, an app sends it as a bearer token and
// finds a new one in the header X-Session.
func ExampleTransports() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets:   []session.Secret{session.NewSecret()},
		Transport: session.Transports(nil, session.Bearer("X-Session")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	site := sessions.Preload(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := session.From(r.Context()); s.User() == "" {
			s.Login("ada")
		}
		fmt.Fprintln(w, "hello", session.From(r.Context()).User())
	}))

	w := browser(site, nil)
	fmt.Print("browser: ", w.Body)
	fmt.Println(len(w.Result().Cookies()), "cookie")

	app := httptest.NewRequest("GET", "https://app.example.com/", nil)
	app.Header.Set("Authorization", "Bearer "+w.Result().Cookies()[0].Value)
	w = httptest.NewRecorder()
	site.ServeHTTP(w, app)
	fmt.Print("app: ", w.Body)
	fmt.Println(w.Result().Header["Vary"])
	// Output:
	// browser: hello ada
	// 1 cookie
	// app: hello ada
	// [Cookie Authorization]
}

// An API whose clients send "Authorization: Bearer …", and keep what comes in X-Session.
func ExampleBearer() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets:   []session.Secret{session.NewSecret()},
		Transport: session.Bearer("X-Session"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	api := sessions.Preload(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session.From(r.Context()).Login("ada")
	}))

	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("POST", "/login", nil))
	fmt.Println("cookies:", len(w.Result().Cookies()), "ticket:", w.Result().Header.Get("X-Session") != "")
	// Output: cookies: 0 ticket: true
}
