package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

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
