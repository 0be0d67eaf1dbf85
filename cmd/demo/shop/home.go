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

// state is what a visitor sees of the session: a script as JSON, a person on the pages.
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

// home shows the experiments, or the session to a script. It stores nothing.
func (s *Site) home(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, stateOf(sess))
		return nil
	}
	return s.showExperiments(w, r, sess, nil)
}

// count counts a visit. Of several at the same moment each counts.
func (s *Site) count(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	if _, err := read(r); err != nil {
		return err
	}
	visits.Update(sess, func(n int) int { return n + 1 })
	return s.answerForm(w, r, sess, "/")
}

// done answers a form with a message. It is shown on the page that the form leads to, and to a script by this answer
// and the next.
func (s *Site) done(w http.ResponseWriter, r *http.Request, sess *session.Session, next, message string) error {
	flash.Flash(sess, message)
	return s.answerForm(w, r, sess, next)
}

// answerForm leads a browser on to a page, so that reloading that sends nothing twice. A script gets the state.
func (s *Site) answerForm(w http.ResponseWriter, r *http.Request, sess *session.Session, next string) error {
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
