package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A path leads into maps and lists. Whatever type was set, Get gives one of a few.
func ExampleSession_Set() {
	sessions := newManager()
	defer sessions.Close()
	s, err := sessions.Open(context.Background(), "")
	if err != nil {
		panic(err)
	}

	s.Set("article.title", "Coats")
	s.Append("article.tags", "wool", "winter")
	fmt.Println(s.Get("article"))
	fmt.Println(s.Get("article.tags.0"), s.Has("article.author"), s.GetOr("article.author", "nobody"))

	s.Set("size", int8(52))
	fmt.Printf("%T\n", s.Get("size"))
	// Output:
	// map[tags:[wool winter] title:Coats]
	// wool false nobody
	// int64
}

// What cannot be done is remembered, and then nothing is saved.
func ExampleSession_Err() {
	sessions := newManager()
	defer sessions.Close()
	ctx := context.Background()
	s, err := sessions.Open(ctx, "")
	if err != nil {
		panic(err)
	}

	s.Set("callback", func() {}) // does not encode
	s.Set("name", "Ada")
	fmt.Println(s.Err())
	fmt.Println(s.Save(ctx) == s.Err(), s.Token() == "")
	// Output:
	// session: value at "callback": the value does not encode: func() (json.UnsupportedTypeError)
	// true true
}

// OnEvent feeds an audit log, and OnError gives the error page.
func ExampleOptions() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		OnEvent: func(_ context.Context, e session.Event) { fmt.Println(e.Kind, e.User) },
		OnError: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "We are sorry.", http.StatusInternalServerError)
		},
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()

	signIn := sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") })
	signOut := sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Logout() })
	broken := sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("", "a path must not be empty")
		fmt.Fprint(w, "Saved.")
	})
	browser(signOut, browser(signIn, nil))
	fmt.Print(browser(broken, nil).Body)
	// Output:
	// created ada
	// ended ada
	// We are sorry.
}

// Before production: what to change, and why.
func ExampleManager_Audit() {
	sessions := newManager()
	defer sessions.Close()
	for _, f := range sessions.Audit() {
		if f.Name == "sealed-at-rest" || f.Name == "cookie-secure" {
			fmt.Println(f.Name, f.Pass)
		}
	}
	// Output:
	// cookie-secure true
	// sealed-at-rest false
}

// A form that was refused is shown again, filled in, but for what nobody else should know.
func ExampleSession_FlashForm() {
	sessions := newManager()
	defer sessions.Close()
	app := http.NewServeMux()
	app.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "That is no form.", http.StatusBadRequest)
			return
		}
		session.From(r.Context()).FlashForm(r.PostForm)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	app.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s := session.From(r.Context())
		fmt.Fprintf(w, "name: %q, password: %q\n", s.Old("name"), s.Old("password"))
	})
	site := sessions.Preload(app)

	post := httptest.NewRequest("POST", "https://app.example.com/", strings.NewReader("name=Ada&password=secret"))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	site.ServeHTTP(w, post)
	fmt.Print(browser(site, w).Body)
	// Output: name: "Ada", password: ""
}
