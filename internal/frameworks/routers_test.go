package frameworks_test

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/julienschmidt/httprouter"

	"github.com/coatcheck/session"
)

// handlers are the pages of the frameworks whose handlers are those of net/http.
var handlers = map[string]http.HandlerFunc{
	"/visit":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, visit(session.From(r.Context()))) },
	"/login":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, signIn(session.From(r.Context()))) },
	"/socket": func(w http.ResponseWriter, r *http.Request) { greet(w, r, session.From(r.Context())) },
	"/stream": func(w http.ResponseWriter, r *http.Request) {
		_ = stream(r.Context(), w, session.From(r.Context())) // the client sees if it failed
	},
	"/load":     load,
	"/returned": load,
	"/wrong": func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, visit(session.From(r.Context())), http.StatusTeapot)
	},
}

func load(w http.ResponseWriter, r *http.Request) {
	s, err := session.Load(r.Context())
	if err != nil {
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	fmt.Fprint(w, visit(s))
}

func withChi(wrap around) http.Handler {
	router := chi.NewRouter()
	router.Use(wrap)
	for path, page := range handlers {
		router.Get(path, page)
	}
	return router
}

func withHTTPRouter(wrap around) http.Handler {
	router := httprouter.New()
	for path, page := range handlers {
		router.GET(path, func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) { page(w, r) })
	}
	return wrap(router)
}
