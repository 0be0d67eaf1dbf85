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

// Where a form or a script sends the token that CSRF checks.
const (
	CSRFFormField = "csrf_token"
	CSRFHeader    = "X-CSRF-Token"
)

// CSRF lets no other site make a visitor's browser change something here, by a form or a script. GET, HEAD and OPTIONS
// pass always, so they must change nothing; a WebSocket is opened by a GET, and its upgrader checks the Origin itself.
//
// Options.CrossOrigin judges by what browsers send since 2023: Sec-Fetch-Site, or else Origin. A request with neither
// comes from an older browser or from a program, and must bring the token of CSRFField or CSRFToken; so must one whose
// Origin is the http twin of this https site. A ticket that comes in a header is none that a browser sends by itself,
// so that such a request needs no token. Other paths for programs are left out of CSRF, or given a bypass pattern.
//
// The token belongs to the session and its user, and every Login makes all tokens from before it useless. A visitor who
// is not signed in has a signed cookie of his own for it, sent only with a page that shows a token; nothing is stored.
//
// What is refused is told as the event "refused", and in the log at level Info, with the reason.
//
// Who brings no header is looked through for the field CSRFFormField: in a form of either kind, up to the first
// mebibyte, so a form with large files has the field before them. Nothing of that is written to the disk, and the
// handler reads the body from its beginning, under limits of its own.
func (g *Guard) CSRF(next http.Handler) http.Handler {
	return g.m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := &form{Context: r.Context(), g: g, w: w}
		r = r.WithContext(f)
		f.r = r
		if err := f.allowed(); err != nil {
			f.refuse(err)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// refuse answers a request that is not allowed, or of which that cannot be known.
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

// notAllowed is why a request is refused, in words for who runs the site. The visitor reads others.
type notAllowed string

func (n notAllowed) Error() string { return "guard: CSRF: " + string(n) }

const (
	fromElsewhere notAllowed = "Sec-Fetch-Site or Origin names another site; " +
		"add it to Options.CrossOrigin if you trust it"
	fromNowhere notAllowed = "no Sec-Fetch-Site, no Origin that counts, and no token. Browsers send one of these. " +
		"A test or a program sends Sec-Fetch-Site: same-origin, or goes to a path that Options.CrossOrigin lets pass"
	badToken notAllowed = "the token is not of this session or visitor, or is from before the last Login"
)

// CSRFToken returns the token for scripts, which send it in the header CSRFHeader. It is another text each time, so
// that a compressed page does not give it away; all of them hold. Call it before the first byte of the response. The
// response gets Cache-Control: no-store. It is "" without CSRF around the handler, and when the store fails.
func CSRFToken(r *http.Request) string {
	if f, ok := r.Context().Value(formKey{}).(*form); ok {
		return f.token()
	}
	return ""
}

// CSRFField returns the hidden field with the token that belongs into every form that is posted. Give it to the
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
	if safe(f.r.Method) || judged(f.r) || f.g.m.ByHeader(f.r) || f.g.exempt(f.r) {
		return nil
	}
	return f.checkToken()
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// judged reports whether the request said where it comes from. An Origin does not if it could be the http twin of this
// https site: CrossOriginProtection compares hosts only.
func judged(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return true
	}
	origin := r.Header.Get("Origin")
	return origin != "" && (r.TLS == nil || !strings.HasPrefix(strings.ToLower(origin), "http://"))
}

// exempt reports whether the application lets even a cross-site request pass here.
func (g *Guard) exempt(r *http.Request) bool {
	probe := *r
	probe.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": r.Header["Origin"]}
	return g.opts.CrossOrigin.Check(&probe) == nil
}
