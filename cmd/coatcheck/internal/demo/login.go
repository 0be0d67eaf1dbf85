package demo

import (
	"net/http"
	"time"

	"github.com/coatcheck/session"
)

const (
	// maxName is the library's limit, said before it is met.
	maxName = 255
	// rememberFor is what "keep me signed in" means.
	rememberFor = 30 * 24 * time.Hour
)

// login believes everybody: what a real site asks for here is its own affair, and no business of the session.
func (s *site) login(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(w, r)
	if err != nil {
		return err
	}
	user, err := in.text("user", maxName)
	if err != nil {
		return err
	}
	remember, err := in.checked("remember")
	if err != nil {
		return err
	}
	keep := session.Remember(rememberFor)
	if !remember {
		keep = forget
	}
	sess.Login(user, keep)
	return s.done(w, r, sess, "/", "Hello, "+user+".")
}

// forget undoes what an earlier Remember of the same session said.
func forget(s *session.Session) {
	s.SetPersistent(false)
	s.SetIdleTimeout(0)
	s.SetLifetime(0)
}

// logout ends the session. A second click finds nobody signed in, and is no mistake.
func (s *site) logout(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if _, err := read(w, r); err != nil {
		return err
	}
	if sess.User() == "" {
		return s.stay(w, r, sess)
	}
	sess.Logout()
	return s.done(w, r, sess, "/", "You are signed out.")
}

// stay answers a form that had nothing to change.
func (s *site) stay(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// signedIn is the user, or the problem that there is none.
func signedIn(sess *session.Session) (string, error) {
	if user := sess.User(); user != "" {
		return user, nil
	}
	return "", &problem{http.StatusUnauthorized, "Nobody is signed in here. Please sign in first."}
}
