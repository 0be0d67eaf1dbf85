package cookiestore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// The session is in its ticket: another process with the same secret opens it, and nothing is on the server.
func Example() {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		panic(err)
	}
	sessions, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()

	ctx := context.Background()
	s, _ := sessions.Open(ctx, "")
	s.Set("theme", "dark")
	fmt.Println(s.Save(ctx))
	again, _ := sessions.Open(ctx, s.Token())
	fmt.Println(again.Get("theme"))

	again.Set("notes", strings.Repeat("too much ", 1000))
	fmt.Println(errors.Is(again.Save(ctx), session.ErrTooLarge))
	_, err = sessions.Sessions(ctx, "ada")
	fmt.Println(errors.Is(err, session.ErrNotSupported))
	// Output:
	// <nil>
	// dark
	// true
	// true
}

// With a list of revocations a logout ends every copy of the cookie. The list can be in any store.
func ExampleOptions_revocations() {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		panic(err)
	}
	sessions, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()

	ctx := context.Background()
	s, _ := sessions.Open(ctx, "")
	s.Login("ada")
	fmt.Println(s.Save(ctx))
	copied := s.Token()
	s.Logout()
	fmt.Println(s.Save(ctx))
	stolen, _ := sessions.Open(ctx, copied)
	fmt.Printf("%q\n", stolen.User())
	// Output:
	// <nil>
	// <nil>
	// ""
}
