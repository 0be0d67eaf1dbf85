package demo

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/coatcheck/session"
)

// contentPolicy allows a page its own style sheet, icon and forms, and nothing else: no script runs here, whoever wrote it.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// site is the web site.
type site struct {
	place    *place
	sessions *session.Manager
	logger   *slog.Logger
	handler  http.Handler
}

// page answers a request that has a session. It returns a *problem for what the visitor did wrong, and any other
// error for what went wrong here; then it has written nothing.
type page func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// ServeHTTP makes a site a handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: browsers then say "Origin: null" with our own forms, and those without Sec-Fetch-Site would be refused.
	h.Set("Referrer-Policy", "same-origin")
	s.handler.ServeHTTP(w, r)
}

func (s *site) route() {
	mux := http.NewServeMux()
	mux.Handle("/{$}", methods{http.MethodGet: s.with(s.home)})
	mux.Handle("/login", methods{http.MethodPost: s.with(s.login)})
	mux.Handle("/logout", methods{http.MethodPost: s.with(s.logout)})
	mux.Handle("/notes", methods{http.MethodPost: s.with(s.addNote)})
	mux.Handle("/sessions", methods{http.MethodGet: s.with(s.list)})
	mux.Handle("/sessions/revoke", methods{http.MethodPost: s.with(s.revoke)})
	for _, a := range assets {
		mux.Handle(a.path, methods{http.MethodGet: a})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		explain(w, r, http.StatusNotFound, "There is no such page.")
	})
	// Forms of other sites are refused before they cost a look at the store.
	forms := http.NewCrossOriginProtection()
	forms.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		explain(w, r, http.StatusForbidden, "This form was sent from another site, so it was not accepted.")
	}))
	s.handler = forms.Handler(mux)
}

// with hands the session to a page, and answers for it when it returns an error.
func (s *site) with(p page) http.Handler {
	return s.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, sess *session.Session) {
		if err := p(w, r, sess); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// methods is the handlers of one path by method. http.ServeMux would answer 405 itself, but not on a page of ours, and not
// beside a pattern that takes all paths.
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := m[method]; ok {
		h.ServeHTTP(w, r)
		return
	}
	allow := slices.Sorted(maps.Keys(m))
	if _, ok := m[http.MethodGet]; ok {
		allow = append(allow, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	explain(w, r, http.StatusMethodNotAllowed, "This address takes "+strings.Join(allow, " and ")+" only.")
}
