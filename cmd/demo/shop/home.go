package shop

import (
	"net/http"

	"github.com/coatcheck/session"
)

// What a session holds.
const (
	visits = session.Key[int]("visits")
	notes  = session.Key[[]string]("notes")
	flash  = session.Key[string]("flash")
)

// state is what a visitor sees of the session: a script as JSON, a person on the first page.
type state struct {
	Visits int            `json:"visits"`
	User   string         `json:"user"`
	ID     string         `json:"id"`
	Notes  []string       `json:"notes"`
	Flash  string         `json:"flash"`
	Cart   map[string]int `json:"cart"`
	Orders []order        `json:"orders"`
}

func stateOf(s *session.Session) state {
	return state{
		Visits: visits.Or(s, 0),
		User:   s.User(),
		ID:     s.ID(),
		Notes:  notes.Or(s, []string{}),
		Flash:  flash.Or(s, ""),
		Cart:   cart.Or(s, map[string]int{}),
		Orders: orders.Or(s, []order{}),
	}
}

// home counts a visit and shows the session.
func (s *Site) home(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if r.Method == http.MethodGet { // to look at the headers is no visit
		visits.Update(sess, func(n int) int { return n + 1 })
	}
	// Saved before it is shown, so that of several visits at the same moment each shows its own number.
	if err := sess.Save(r.Context()); err != nil {
		return err
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	f := s.frame(r, sess, "Shop")
	return writePage(w, http.StatusOK, "home", homeView{
		frame: f, Goods: goods, Visits: visits.Or(sess, 0), Notes: notes.Or(sess, nil), ID: sess.ID(),
		Login: sess.LoginAt(), Expires: sess.ExpiresAt(), MaxNote: maxNote, SignIn: f.signIn(sess, ""),
	})
}

// done answers a form: a browser is led on to a page, so that reloading that sends nothing twice; a script gets the
// state. The message is shown there, and to a script also by the next answer.
func (s *Site) done(w http.ResponseWriter, r *http.Request, sess *session.Session, next, message string) error {
	flash.Flash(sess, message)
	if err := sess.Save(r.Context()); err != nil {
		return err
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
