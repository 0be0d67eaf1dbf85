package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// Sessions in files survive a restart, when the secret does.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	secrets := []session.Secret{session.NewSecret()} // in production from a file or the environment

	ctx, token := context.Background(), ""
	for range 2 { // the program runs, ends, and runs again
		store, err := filestore.New(dir, filestore.Options{})
		if err != nil {
			panic(err)
		}
		sessions, err := session.New(store, session.Options{Secrets: secrets})
		if err != nil {
			panic(err)
		}
		s, err := sessions.Open(ctx, token) // in a web application the middleware does this
		if err != nil {
			panic(err)
		}
		fmt.Printf("%q\n", s.User())
		s.Login("ann")
		if err := s.Save(ctx); err != nil {
			panic(err)
		}
		token = s.Token()
		sessions.Close()
		store.Close()
	}
	// Output:
	// ""
	// "ann"
}

// What a store does is easiest to see without a manager.
func Example() {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	store, err := filestore.New(dir, filestore.Options{})
	if err != nil {
		panic(err)
	}
	defer store.Close()

	ctx := context.Background()
	fmt.Println(store.Save(ctx, &session.Record{ID: "id", User: "ann", Data: []byte("data")}))
	rec, err := store.Load(ctx, "id")
	fmt.Println(rec.User, rec.Version, string(rec.Data), err)
	err = store.Save(ctx, &session.Record{ID: "id"}) // version 0 creates, and never overwrites
	fmt.Println(errors.Is(err, session.ErrConflict))
	// Output:
	// <nil>
	// ann 1 data <nil>
	// true
}
