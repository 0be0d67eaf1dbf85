package shop

import (
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/guard"
)

// entry is one line in the list of a user's sessions. It has no ticket: whoever sees the list could use it.
type entry struct {
	ID         string    `json:"id"`
	Current    bool      `json:"current"`
	Browser    string    `json:"browser"`
	UserAgent  string    `json:"user_agent"`
	Address    string    `json:"address"`
	CreatedAt  time.Time `json:"created_at"`
	LoginAt    time.Time `json:"login_at"`
	SeenAt     time.Time `json:"seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Remembered bool      `json:"remembered"`
}

func entryOf(info session.Info, current string) entry {
	e := entry{
		ID:         info.ID,
		Current:    info.ID == current,
		Browser:    guard.Device(info.UserAgent),
		UserAgent:  info.UserAgent,
		CreatedAt:  info.CreatedAt.UTC(),
		LoginAt:    info.LoginAt.UTC(),
		SeenAt:     info.SeenAt.UTC(),
		ExpiresAt:  info.ExpiresAt.UTC(),
		Remembered: info.Persistent,
	}
	if info.RemoteIP.IsValid() {
		e.Address = info.RemoteIP.String()
	}
	return e
}

// devices is the page of guard.Sessions in the design of the shop. A script gets the list as before.
func (s *Site) devices() http.Handler {
	page, list := s.guard.Sessions(), s.with(s.list)
	return methods{
		http.MethodGet: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if wantsJSON(r) {
				list.ServeHTTP(w, r)
				return
			}
			page.ServeHTTP(w, r)
		}),
		http.MethodPost: page,
	}
}

// showDevices writes the page.
func (s *Site) showDevices(w http.ResponseWriter, r *http.Request, p guard.SessionsPage) {
	sess, err := session.Load(r.Context())
	if err == nil {
		trace.From(r.Context()).Follow(sess.ID)
		err = writePage(w, r, http.StatusOK, "devices", devicesView{frame: s.frame(r, sess, p.Words.Title), Page: p})
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// placeOf says where an address is, as far as that can be known without a table of places.
func placeOf(addr netip.Addr) string {
	switch {
	case addr.IsLoopback():
		return "This computer"
	case addr.IsPrivate(), addr.IsLinkLocalUnicast():
		return "Your network"
	}
	return ""
}

// list shows a script where the user is signed in.
func (s *Site) list(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	user, err := signedIn(sess)
	if err != nil {
		return err
	}
	infos, err := s.sessions.Sessions(r.Context(), user)
	if err != nil {
		return err
	}
	entries := make([]entry, len(infos))
	for i, info := range infos {
		entries[i] = entryOf(info, sess.ID())
	}
	writeJSON(w, http.StatusOK, entries)
	return nil
}

// revoke ends sessions of the user: one, or all but this.
func (s *Site) revoke(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	user, err := signedIn(sess)
	if err != nil {
		return err
	}
	others, err := in.checked("others")
	switch id := in["id"]; {
	case err != nil:
		return err
	case others == (id != ""):
		return wrong("Say which session: either its id, or others=1.")
	case others:
		return s.revokeOthers(w, r, sess, user)
	case id == sess.ID(): // a revoked session could not even say that it was
		sess.Logout()
		return s.done(w, r, sess, "/shop", "You ended this session, so you are signed out.")
	default:
		return s.revokeOne(w, r, sess, user, id)
	}
}

// revokeOne ends a session of the user's own, also under an id that it has no more: Manager.Revoke ends whatever it is
// given.
func (s *Site) revokeOne(w http.ResponseWriter, r *http.Request, sess *session.Session, user, id string) error {
	n, err := s.sessions.RevokeOwn(r.Context(), user, id)
	switch {
	case err != nil:
		return err
	case n == 0:
		return wrong("id: none of your sessions has this id. It may have ended already.")
	}
	return s.done(w, r, sess, "/sessions", "The session has ended.")
}

func (s *Site) revokeOthers(w http.ResponseWriter, r *http.Request, sess *session.Session, user string) error {
	n, err := s.sessions.RevokeUser(r.Context(), user, sess.ID())
	if err != nil {
		return err
	}
	message := fmt.Sprintf("%d other sessions have ended.", n)
	if n == 1 {
		message = "1 other session has ended."
	}
	return s.done(w, r, sess, "/sessions", message)
}
