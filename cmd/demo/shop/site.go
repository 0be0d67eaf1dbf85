package shop

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/guard"
)

// contentPolicy allows a page its own style sheet, icon and forms, and nothing else: no script runs here, whoever wrote
// it.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'none'"

// page answers a request that has a session. It returns a *problem for what the visitor did wrong, and any other
// error for what went wrong here; then it has written nothing.
type page func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// ServeHTTP makes a site a handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: browsers then say "Origin: null" with our own forms, and those without Sec-Fetch-Site would be
	// refused.
	h.Set("Referrer-Policy", "same-origin")
	// Whoever reads the body, the guard of forms or a page, reads no more.
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	ctx, _ := trace.New(r.Context())
	s.handler.ServeHTTP(w, r.WithContext(ctx))
}

// freshness is how recent a sign-in must be for an order.
const freshness = 10 * time.Minute

// orderRate is how often a session may order.
var orderRate = guard.Limit{Name: "orders", Requests: 5, Per: time.Minute}

func (s *Site) route() {
	mayOrder := func(h http.Handler) http.Handler { return s.guard.Fresh(freshness)(s.guard.Rate(orderRate)(h)) }
	staffOnly := s.guard.Role(staffRole)
	mux := http.NewServeMux()
	mux.Handle("/{$}", methods{http.MethodGet: s.with(s.home)})
	mux.Handle("/experiments/{name}", methods{http.MethodPost: s.with(s.try)})
	mux.Handle("/shop", methods{http.MethodGet: s.with(s.showShop)})
	mux.Handle("/visits", methods{http.MethodPost: s.with(s.count)})
	mux.Handle("/sign-in", methods{http.MethodGet: s.with(s.showLogin)})
	mux.Handle("/login", methods{http.MethodPost: s.with(s.login)})
	mux.Handle("/logout", methods{http.MethodPost: s.with(s.logout)})
	mux.Handle("/cart", methods{http.MethodGet: s.with(s.showCart), http.MethodPost: s.with(s.fillCart)})
	mux.Handle("/checkout", methods{http.MethodPost: mayOrder(s.with(s.checkOut))})
	mux.Handle("/staff", methods{http.MethodGet: staffOnly(s.with(s.showStaff)),
		http.MethodPost: staffOnly(s.with(s.changeStaff))})
	mux.Handle("/notes", methods{http.MethodPost: s.with(s.addNote)})
	mux.Handle("/sessions", s.devices())
	mux.Handle("/sessions/revoke", methods{http.MethodPost: s.with(s.revoke)})
	for _, list := range []map[string]asset{assets, pictures} {
		for _, a := range list {
			mux.Handle(a.path, methods{http.MethodGet: a})
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusNotFound, "There is no such page.")
	})
	s.handler = programs(mux, s.guard.CSRF(mux))
}

// programs lets requests of programs pass that are no browsers, without the token that CSRF would ask them for: another
// site can send a request in somebody's name by a browser only.
func programs(direct, guarded http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ofBrowser(r) {
			guarded.ServeHTTP(w, r)
			return
		}
		direct.ServeHTTP(w, r)
	})
}

// browsers are how those begin their User-Agent that show HTML and send forms.
var browsers = []string{"Mozilla/", "Opera/", "Lynx/", "w3m/", "Links ", "ELinks"}

// ofBrowser reports whether a request may come from a browser. What says where it comes from does; an older browser,
// which does not say so, sends a form with an Accept that asks for more than JSON.
func ofBrowser(r *http.Request) bool {
	h := r.Header
	if h.Get("Sec-Fetch-Site") != "" || h.Get("Origin") != "" {
		return true
	}
	agent := h.Get("User-Agent")
	return !wantsJSON(r) &&
		slices.ContainsFunc(browsers, func(name string) bool { return strings.HasPrefix(agent, name) })
}

// turnAway answers whom a guard does not let through.
func (s *Site) turnAway(w http.ResponseWriter, r *http.Request, no guard.Refusal) {
	if no.Login != "" && !wantsJSON(r) {
		w.Header().Del("WWW-Authenticate")
		http.Redirect(w, r, no.Login, http.StatusSeeOther)
		return
	}
	refuse(w, r, no.Status, no.Text)
}

// with hands the session to a page, and answers for it when it returns an error.
func (s *Site) with(p page) http.Handler {
	return s.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, sess *session.Session) {
		trace.From(r.Context()).Follow(sess.ID)
		if err := p(w, r, sess); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// methods is the handlers of one path by method. http.ServeMux would answer 405 itself, but not on a page of ours, and
// not beside a pattern that takes all paths.
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
	refuse(w, r, http.StatusMethodNotAllowed, "This address takes "+strings.Join(allow, " and ")+" only.")
}
