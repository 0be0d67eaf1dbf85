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

// addNote needs nobody signed in: what a stranger notes stays when he signs in.
func (s *Site) addNote(w http.ResponseWriter, r *http.Request, sess *session.Session) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	text, err := in.text("text", maxNote)
	if err != nil {
		return err
	}
	// Counted on the newest state, so that two notes at the same moment do not both take the last place.
	err = sess.Atomic(r.Context(), func(sess *session.Session) error {
		if len(notes.Or(sess, nil)) >= maxNotes {
			return wrong("text: the list is full with %d notes. Sign out to begin a new one.", maxNotes)
		}
		session.Append(sess, notes, text)
		return sess.Err()
	})
	if err != nil {
		return err
	}
	return s.done(w, r, sess, "/", "Noted.")
}
