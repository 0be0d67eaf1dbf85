package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

func ExampleNew() {
	manager, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer manager.Close()

	handler := manager.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("greeting", "hello")
		fmt.Fprintln(w, s.Get("greeting"))
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://example.com/", nil))
	fmt.Printf("%s%d cookie", w.Body, len(w.Result().Cookies()))
	// Output:
	// hello
	// 1 cookie
}

// What a store does is easiest to see without a manager.
func ExampleStore_Save() {
	store, ctx := memstore.New(memstore.Options{}), context.Background()
	first := &session.Record{ID: "id", Data: []byte("one")} // version 0: create
	second := &session.Record{ID: "id", Data: []byte("two"), Version: 1}
	late := &session.Record{ID: "id", Data: []byte("three"), Version: 1}
	fmt.Println(store.Save(ctx, first), store.Save(ctx, second))
	fmt.Println(errors.Is(store.Save(ctx, late), session.ErrConflict))

	rec, err := store.Load(ctx, "id")
	fmt.Println(string(rec.Data), rec.Version, err)
	// Output:
	// <nil> <nil>
	// true
	// two 2 <nil>
}

// A store with a bound drops strangers before users, and the longest unseen first.
func ExampleStore_OnEvict() {
	store, ctx := memstore.New(memstore.Options{MaxSessions: 2}), context.Background()
	stop := store.OnEvict(func(id, user string) { fmt.Printf("dropped %s of %q\n", id, user) })
	defer stop()

	noon := time.Date(2100, 1, 1, 12, 0, 0, 0, time.UTC)
	for i, rec := range []*session.Record{
		{ID: "a", User: "ada"}, {ID: "b"}, {ID: "c", User: "cleo"}, {ID: "d", User: "dan"},
	} {
		rec.SeenAt = noon.Add(time.Duration(i) * time.Minute)
		if err := store.Save(ctx, rec); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// dropped b of ""
	// dropped a of "ada"
}
