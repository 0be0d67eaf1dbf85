package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
)

const cookieName = "__Host-Http-session"

// secret is that of every node.
var secret = session.NewSecret()

// Node is one process of a site that signs people in by the provider, and by passwords. Users are called as the
// subjects are.
type Node struct {
	Sessions *session.Manager
	links    *oidcsession.Links
	tokens   *oidc.IDTokenVerifier
	pages    *http.ServeMux
}

// Node returns a node on a store.
func (p *Provider) Node(t testing.TB, store session.Store, now func() time.Time, renew time.Duration) *Node {
	t.Helper()
	m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, Now: now, RenewEvery: renew,
		SweepEvery: session.Never, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{Sessions: m, pages: http.NewServeMux()}
	n.tokens = p.about.Verifier(&oidc.Config{ClientID: client, Now: now, SupportedSigningAlgs: []string{oidc.ES256}})
	n.links, err = oidcsession.New(m, store, p.about, client, oidcsession.Options{Client: p.reached()})
	if err != nil {
		t.Fatal(err)
	}
	events, err := n.links.Receiver(oidcsession.Transmitter{})
	if err != nil {
		t.Fatal(err)
	}
	n.pages.Handle("/logout", n.links.Logout())
	n.pages.Handle("/events", events)
	for path, page := range n.site() {
		n.pages.Handle(path, m.HandlerFunc(page))
	}
	return n
}

// site is the pages for people.
func (n *Node) site() map[string]func(http.ResponseWriter, *http.Request, *session.Session) {
	return map[string]func(http.ResponseWriter, *http.Request, *session.Session){
		"/signin":   n.signIn,
		"/password": func(_ http.ResponseWriter, r *http.Request, s *session.Session) { s.Login(r.FormValue("user")) },
		"/renew":    func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Regenerate() },
		"/leave":    func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Logout() },
		"/": func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			link, _ := oidcsession.Of(s)
			fmt.Fprint(w, strings.Join([]string{s.User(), link.SessionID, string(s.EndedBy()), s.ID()}, "\n"))
		},
	}
}

// signIn is what a site does when the provider has sent the visitor back.
func (n *Node) signIn(w http.ResponseWriter, r *http.Request, s *session.Session) {
	token, err := n.tokens.Verify(r.Context(), r.FormValue("id_token"))
	if err == nil {
		err = n.links.Login(r.Context(), s, token.Subject, token)
	}
	switch {
	case errors.Is(err, session.ErrUnavailable):
		n.Sessions.Fail(w, r, err)
	case err != nil:
		http.Error(w, err.Error(), http.StatusForbidden)
	}
}

// Post sends a form with a ticket, "" for none. It returns the status, and the ticket that was given out.
func (n *Node) Post(ctx context.Context, path, ticket string, form url.Values) (status int, given string) {
	resp := n.send(ctx, path, "application/x-www-form-urlencoded", ticket, form.Encode())
	for _, c := range resp.Result().Cookies() {
		if c.Name == cookieName && c.MaxAge >= 0 {
			given = c.Value
		}
	}
	return resp.Code, given
}

// Push sends a security event token.
func (n *Node) Push(ctx context.Context, token string) (status int) {
	return n.send(ctx, "/events", "application/secevent+jwt", "", token).Code
}

func (n *Node) send(ctx context.Context, path, kind, ticket, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+path, strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("Content-Type", kind)
	if ticket != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: ticket})
	}
	w := httptest.NewRecorder()
	n.pages.ServeHTTP(w, r)
	return w
}

// View is what a ticket opens.
type View struct{ User, SID, EndedBy, ID string }

// Open returns what a ticket opens.
func (n *Node) Open(ticket string) (View, error) {
	w := n.send(context.Background(), "/", "", ticket, "")
	said := strings.Split(w.Body.String(), "\n")
	if w.Code != http.StatusOK || len(said) != 4 {
		return View{}, fmt.Errorf("a look at the session is answered with %d", w.Code)
	}
	return View{said[0], said[1], said[2], said[3]}, nil
}

// Links returns the sids by which the sessions of a user were begun that are alive, in order: "" for a password.
func (n *Node) Links(ctx context.Context, user string) ([]string, error) {
	found := map[string]string{}
	_, err := n.Sessions.RevokeWhere(ctx, session.ReasonOperator, user, func(s *session.Session) bool {
		link, _ := oidcsession.Of(s)
		found[s.ID()] = link.SessionID
		return false
	})
	var sids []string
	for _, sid := range found {
		sids = append(sids, sid)
	}
	slices.Sort(sids)
	return sids, err
}
