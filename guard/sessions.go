package guard

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// Sessions returns the handler of a page on which users see where they are signed in, and end sessions that they do not
// recognize or need. Mount it at any path. It needs no other guard: people who are not signed in get the answer of
// User, and other sites cannot send its forms.
//
//	GET            the list, as a page or as JSON
//	POST id=…      ends one session, an id of the list
//	POST others=1  ends all but this one
//
// A POST is a form, or {"id":"…"} or {"others":true} as JSON. It ends only sessions of that user, whatever the id, and
// session.Session.EndedBy says on the other device that it was revoked. Answers are {"sessions":[…]} and {"ended":n}; a
// browser is sent back to the list, which says what has ended, or to "/" if it ended its own session. Ending any other
// session requires a recent sign-in: see Options.EndWithin.
//
// The page has no script, and the same path serves its style sheet. Its Content-Security-Policy allows nothing else,
// unless the response already has one. Options.Words translates the page, and Options.ShowSessions writes a page of
// your own. The store must be able to list sessions, or the answer is 501.
func (g *Guard) Sessions() http.Handler {
	list := g.User(g.m.HandlerFunc(g.list))
	end := g.User(g.m.HandlerFunc(g.end))
	return g.CSRF(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			end.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD, POST")
			g.tell(w, r, http.StatusMethodNotAllowed, "The devices are listed by GET and ended by POST.")
		case r.URL.RawQuery == styleQuery:
			w.Header().Set("Content-Type", "text/css; charset=utf-8")
			w.Header().Set("Cache-Control", "max-age=3600")
			_, _ = w.Write(style)
		default:
			list.ServeHTTP(w, r)
		}
	}))
}

// Sessions returns the handler of Guard.Sessions without a login page.
func Sessions(m *session.Manager) (http.Handler, error) {
	g, err := New(m, Options{})
	if err != nil {
		return nil, err
	}
	return g.Sessions(), nil
}

//go:embed pages/style.css
var style []byte

// styleQuery is how the page asks for its style sheet.
const styleQuery = "style"

func (g *Guard) list(w http.ResponseWriter, r *http.Request, s *session.Session) {
	ctx, cancel := bounded(r.Context())
	defer cancel()
	err := s.Save(ctx) // a renewal that is due comes now, and not after the ids are on the page
	var infos []session.Info
	if err == nil {
		infos, err = g.m.Sessions(ctx, s.User())
	}
	here := func(info session.Info) bool { return info.ID == s.ID() }
	if err == nil && !slices.ContainsFunc(infos, here) { // another request has given it a new id just now
		err = s.Reload(ctx)
	}
	if err != nil {
		g.cannot(w, r, err)
		return
	}
	words := g.words(r)
	devices := g.entries(infos, s.ID(), words)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept, Sec-Fetch-Mode")
	if g.wantsJSON(r) {
		writeJSON(w, http.StatusOK, "application/json", map[string][]SessionEntry{"sessions": devices})
		return
	}
	g.show(w, r, s, devices, words)
}

// cannot answers when sessions cannot be listed.
func (g *Guard) cannot(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, session.ErrNotSupported) {
		g.tell(w, r, http.StatusNotImplemented, "This site cannot list sessions.")
		return
	}
	g.m.Fail(w, r, err)
}

// tell answers a request that is wrong in itself.
func (g *Guard) tell(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	if g.wantsJSON(r) {
		writeJSON(w, status, "application/problem+json", problem{Title: http.StatusText(status), Status: status,
			Detail: text})
		return
	}
	writePage(w, status, "refused.html", page{http.StatusText(status), text})
}

// order is what a POST asks for.
type order struct {
	ID     string
	Others bool
}

// endTimeout is how long a store may take to end sessions. Somebody may have thousands of them.
const endTimeout = 4 * storeTimeout

func (g *Guard) end(w http.ResponseWriter, r *http.Request, s *session.Session) {
	o, ok := readOrder(w, r)
	if !ok || o.Others == (o.ID != "") {
		g.tell(w, r, http.StatusBadRequest, "Say which session is to end: either its id, or others=1.")
		return
	}
	if o.ID == s.ID() { // revoked, it could not take its cookie along
		s.Logout()
		g.done(w, r, 1, "/")
		return
	}
	if !g.mayEnd(s) {
		g.refuse(w, r, notFresh(withWayBack(g.opts.ReloginPage, back(r, "")), g.opts.EndWithin))
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), endTimeout)
	defer cancel()
	note, err := g.endOthers(ctx, r, s, o)
	if err != nil {
		g.cannot(w, r, err)
		return
	}
	if !g.wantsJSON(r) {
		confirm(ctx, s, note)
	}
	g.done(w, r, note.Sessions, "")
}

// mayEnd reports whether the sign-in is recent enough to end other sessions.
func (g *Guard) mayEnd(s *session.Session) bool {
	return g.opts.EndWithin == session.Never || g.recent(s, g.opts.EndWithin)
}

// note is what was ended, for the page that comes next.
type note struct {
	Sessions int
	Device   string
}

const endedJustNow = session.Key[note](envelope.OwnPrefix + "ended")

// confirm keeps the note for the next page. The sessions have ended even if there is no room for it.
func confirm(ctx context.Context, s *session.Session, n note) {
	endedJustNow.Flash(s, n)
	if err := s.Save(ctx); err != nil {
		_ = s.Reload(ctx) // which tells what is wrong with the session, if anything is, when it is next used
	}
}

// endOthers ends what the order names, which is not this session.
func (g *Guard) endOthers(ctx context.Context, r *http.Request, s *session.Session, o order) (n note, err error) {
	if o.Others {
		n.Sessions, err = g.m.RevokeUserFor(ctx, session.ReasonRevoked, s.User(), s.ID())
		return n, err
	}
	if !g.wantsJSON(r) { // a person is told which it was
		infos, err := g.m.Sessions(ctx, s.User())
		if err != nil {
			return n, err
		}
		for _, e := range g.entries(infos, s.ID(), g.words(r)) {
			if e.ID == o.ID {
				n.Device = e.Device
			}
		}
	}
	n.Sessions, err = g.m.RevokeOwn(ctx, s.User(), o.ID)
	return n, err
}

// done answers when sessions have ended.
func (g *Guard) done(w http.ResponseWriter, r *http.Request, ended int, next string) {
	if g.wantsJSON(r) {
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, "application/json", map[string]int{"ended": ended})
		return
	}
	http.Redirect(w, r, back(r, next), http.StatusSeeOther)
}

// back is where a browser goes after the form: to next, or to the list, which is where the form was sent. An address
// that a browser could take for one of another site leads to "/".
func back(r *http.Request, next string) string {
	if next == "" {
		next = asked(r)
	}
	if !LocalPath(next) {
		return "/"
	}
	return next
}

const maxOrder = 64 << 10

// readOrder reads a form or a JSON object.
func readOrder(w http.ResponseWriter, r *http.Request) (o order, ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxOrder)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		dec := json.NewDecoder(r.Body)
		err := dec.Decode(&o)
		_, rest := dec.Token()
		return o, err == nil && rest == io.EOF
	}
	if err := r.ParseMultipartForm(maxOrder); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return o, false
	}
	return order{ID: r.PostFormValue("id"), Others: r.PostFormValue("others") == "1"}, true
}
