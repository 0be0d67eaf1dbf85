package shop

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// entry is one line in the list of a user's sessions. It has no ticket: who sees the list could use it.
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

// list shows where the user is signed in.
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
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, entries)
		return nil
	}
	return writePage(w, http.StatusOK, "sessions", sessionsView{
		frame: s.frame(r, sess, "Where you are signed in"), Entries: entries, Others: len(entries) > 1,
	})
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
		return s.done(w, r, sess, "/", "You ended this session, so you are signed out.")
	default:
		return s.revokeOne(w, r, sess, user, id)
	}
}

// revokeOne looks the session up among those of the user first: Manager.Revoke ends whatever it is given.
func (s *Site) revokeOne(w http.ResponseWriter, r *http.Request, sess *session.Session, user, id string) error {
	infos, err := s.sessions.Sessions(r.Context(), user)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(infos, func(info session.Info) bool { return info.ID == id }) {
		return wrong("id: none of your sessions has this id. It may have ended already.")
	}
	if _, err := s.sessions.Revoke(r.Context(), id); err != nil {
		return err
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
