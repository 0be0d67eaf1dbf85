package guard

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/coatcheck/session"
)

// These say where a form or a script sends the token that CSRF checks.
const (
	CSRFFormField = "csrf_token"
	CSRFHeader    = "X-CSRF-Token"
)

// CSRF keeps other sites from making a visitor's browser change something here, by a form or a script. GET, HEAD and
// OPTIONS always pass, so they must not change anything. A WebSocket is opened by a GET, so its upgrader has to check
// the Origin itself.
//
// Options.CrossOrigin judges by what browsers have sent since 2023: Sec-Fetch-Site, or else Origin. A request with
// neither comes from an older browser or from a program, and must bring the token of CSRFField or CSRFToken. So must
// one whose Origin is this site under http, unless the site is one without TLS, which session.Cookie.Insecure says. A
// request whose ticket comes in a header needs no token, because no browser sends that header by itself. Keep other
// paths that are for programs outside CSRF, or give them a bypass pattern.
//
// The token belongs to the session and its user, and every Login makes all earlier tokens useless. Visitors who are not
// signed in get a signed cookie for it, which is sent only with a page that shows a token; nothing is stored.
//
// A refused request is reported as the event "refused", and in the log at level Info, with the reason.
//
// If a request has no such header, CSRF looks for the field CSRFFormField in a form of either kind, up to the first
// mebibyte; in a form with large files, put the field before them. None of this is written to disk, and the handler
// reads the body from its beginning, under limits of its own.
func (g *Guard) CSRF(next http.Handler) http.Handler {
	return g.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, outer *http.Request) {
		f := &form{Context: outer.Context(), g: g, w: w}
		r := outer.WithContext(f)
		defer handBack(outer, r)
		f.r = r
		if err := f.allowed(); err != nil {
			f.refuse(err)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// refuse answers a request that is not allowed, or for which that cannot be known.
func (f *form) refuse(err error) {
	var no notAllowed
	if !errors.As(err, &no) {
		f.g.m.Fail(f.w, f.r, err)
		return
	}
	f.g.m.Report(f, session.Event{Kind: session.EventRefused, Err: no})
	f.g.refuse(f.w, f.r, Refusal{
		Reason: CrossOrigin, Status: http.StatusForbidden,
		Text: "This was sent from another site, or from a page that is out of date. Reload the page and try again.",
	})
}

// notAllowed is why a request is refused, in words for the people who run the site. The visitor reads others.
type notAllowed string

func (n notAllowed) Error() string { return "guard: CSRF: " + string(n) }

const (
	fromElsewhere notAllowed = "Sec-Fetch-Site or Origin names another site; " +
		"add it to Options.CrossOrigin if you trust it"
	fromNowhere notAllowed = "no Sec-Fetch-Site, no Origin that counts, and no token. Browsers send one of these. " +
		"A test or a program sends Sec-Fetch-Site: same-origin, or goes to a path that Options.CrossOrigin lets pass"
	badToken notAllowed = "the token belongs to another session or visitor, or is from before the last Login"
)

// CSRFToken returns the token for scripts, which send it in the header CSRFHeader. Its text differs each time, so that
// a compressed page does not give it away; all of them are valid. Call it before the first byte of the response, which
// gets Cache-Control: no-store. The token is "" without CSRF around the handler, and if the store fails.
func CSRFToken(r *http.Request) string {
	if f, ok := r.Context().Value(formKey{}).(*form); ok {
		return f.token()
	}
	return ""
}

// CSRFField returns the hidden field with the token, which belongs in every form that is posted. Give it to the
// template:
//
//	<form method="post">{{.CSRF}}…</form>
func CSRFField(r *http.Request) template.HTML {
	// A token is letters, digits, "-" and "_".
	return template.HTML(`<input type="hidden" name="` + CSRFFormField + `" value="` + CSRFToken(r) + `">`)
}

type formKey struct{}

// form is a request within CSRF. It is the request's context, in one allocation.
type form struct {
	context.Context
	g *Guard
	w http.ResponseWriter
	r *http.Request

	mu      sync.Mutex
	visitor []byte // the key of a visitor who is not signed in, when it is known
}

func (f *form) Value(key any) any {
	if key == (formKey{}) {
		return f
	}
	return f.Context.Value(key)
}

// allowed judges the request. The error is a notAllowed, or of the store.
func (f *form) allowed() error {
	if f.g.opts.CrossOrigin.Check(f.r) != nil {
		return fromElsewhere
	}
	if safe(f.r.Method) || f.g.judged(f.r) || f.g.m.ByHeader(f.r) || f.g.exempt(f.r) {
		return nil
	}
	return f.checkToken()
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// judged reports whether the request said where it comes from. An Origin does not if it could be the http twin of this
// https site: CrossOriginProtection compares hosts only. Behind a proxy that ends TLS, Secure cookies tell that this is
// an https site. Nor does one in a request without a Host, of which it takes "null" for the site's own.
func (g *Guard) judged(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return true
	}
	origin := r.Header.Get("Origin")
	plain := r.TLS == nil && g.forms.prefix == ""
	return origin != "" && r.Host != "" && (plain || !strings.HasPrefix(strings.ToLower(origin), "http://"))
}

// exempt reports whether the application lets even a cross-site request pass here.
func (g *Guard) exempt(r *http.Request) bool {
	probe := *r
	probe.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": r.Header["Origin"]}
	return g.opts.CrossOrigin.Check(&probe) == nil
}

// fromOtherSite reports whether a page of another site caused the request, by any method. A sibling host is no other
// site: its cookies are not kept apart from ours either.
func (g *Guard) fromOtherSite(r *http.Request) bool {
	probe := *r
	probe.Method = http.MethodPost
	return r.Header.Get("Sec-Fetch-Site") != "same-site" && g.opts.CrossOrigin.Check(&probe) != nil
}
