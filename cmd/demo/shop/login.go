package shop

import (
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

const (
	// maxName is the library's limit, said before it is met.
	maxName = 255
	// rememberFor is what "keep me signed in" means.
	rememberFor = 30 * 24 * time.Hour
)

// showLogin is where the guards send who has to sign in, or to do so again.
func (s *Site) showLogin(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	back := guard.ReturnPath(r, "/shop")
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	return s.showLoginWith(w, r, sess, http.StatusOK, back, mistake{})
}

// showLoginWith shows the form with what was typed wrong.
func (s *Site) showLoginWith(w http.ResponseWriter, r *http.Request, sess *session.Session, status int, back string,
	m mistake) error {
	f := s.frame(r, sess, "Sign in")
	form := f.signIn(sess, back)
	if form.Mistake = m; m.Field != "" {
		form.User = m.Typed
	}
	return writePage(w, r, status, "login", loginView{frame: f, SignIn: form})
}

func (f frame) signIn(sess *session.Session, back string) signInView {
	return signInView{CSRF: f.CSRF, Expired: sess.Expired(), Return: back, User: f.User, MaxName: maxName}
}

// login believes everybody: what a real site asks for here is its own affair, and no business of the session.
func (s *Site) login(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	next := "/shop"
	if back := in[guard.ReturnParam]; guard.LocalPath(back) {
		next = back
	}
	user, err := signIn(sess, in)
	if m, ok := mistakeOf(r, in, err); ok && m.Field == "user" {
		return s.showLoginWith(w, r, sess, http.StatusUnprocessableEntity, next, m)
	}
	if err != nil {
		return err
	}
	s.staff.enroll(sess, user)
	return s.done(w, r, sess, next, "Hello, "+user+".")
}

func signIn(sess *session.Session, in input) (user string, err error) {
	if user, err = in.text("user", maxName); err != nil {
		return "", err
	}
	remember, err := in.checked("remember")
	if err != nil {
		return "", err
	}
	keep := session.Remember(rememberFor)
	if !remember {
		keep = forget
	}
	if err := sess.TryLogin(user, keep); err != nil {
		return "", wrongField("user", "has a blank at an end, or a character that cannot be seen.")
	}
	return user, nil
}

// forget undoes what an earlier Remember of the same session said.
func forget(s *session.Session) {
	s.SetPersistent(false)
	s.SetIdleTimeout(0)
	s.SetLifetime(0)
}

// logout ends the session. A second click finds nobody signed in, and is no mistake.
func (s *Site) logout(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if _, err := read(r); err != nil {
		return err
	}
	if sess.User() == "" {
		return s.stay(w, r, sess)
	}
	sess.Logout()
	return s.done(w, r, sess, "/shop", "You are signed out.")
}

// stay answers a form that had nothing to change.
func (s *Site) stay(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	http.Redirect(w, r, "/shop", http.StatusSeeOther)
	return nil
}

// signedIn is the user, or the problem that there is none.
func signedIn(sess *session.Session) (string, error) {
	if user := sess.User(); user != "" {
		return user, nil
	}
	return "", &problem{http.StatusUnauthorized, "", "Nobody is signed in here. Please sign in first."}
}
