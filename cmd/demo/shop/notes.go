package shop

import (
	"net/http"

	"github.com/coatcheck/session"
)

// What fits into the note list of a session.
const (
	maxNotes = 20
	maxNote  = 500
)

// addNote needs nobody signed in: what a stranger notes stays there after the sign-in.
func (s *Site) addNote(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	err = s.note(r, sess, in)
	if m, ok := mistakeOf(r, in, err); ok {
		return s.showShopWith(w, r, sess, http.StatusUnprocessableEntity, m)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, sess, "/shop", "Noted.")
}

func (s *Site) note(r *http.Request, sess *session.Session, in input) error {
	text, err := in.text("text", maxNote)
	if err != nil {
		return err
	}
	// Counted on the newest state, so that two notes at the same moment do not both take the last place.
	return sess.Atomic(r.Context(), func(sess *session.Session) error {
		if len(notes.Or(sess, nil)) >= maxNotes {
			return wrongField("text", "the list is full with %d notes. Sign out to begin a new one.", maxNotes)
		}
		session.Append(sess, notes, text)
		return sess.Err()
	})
}
