package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// Anybody who is signed in can send any bytes for an id, and some servers fail when they are asked for them.
func TestWhatIsNoIDIsUnknown(t *testing.T) {
	r := newRig(t)
	r.visitor().with(func(s *session.Session) { s.Login("ada") })
	adas, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(adas) != 1 {
		t.Fatal(adas, err)
	}
	r.store.hook(func(call, id string) error {
		if len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" {
			t.Errorf("%s asks the store for %q", call, id)
			return errors.New("invalid byte sequence")
		}
		return nil
	})
	none := []string{"", "\x00", "\xff", adas[0].ID + "\x00", adas[0].ID[1:], strings.ToUpper(adas[0].ID) + "'",
		strings.Repeat("a", 1<<20), strings.Repeat("é", 32), strings.Repeat("\x00", 64)}
	for name, end := range map[string]func() (int, error){
		"Revoke":    func() (int, error) { return r.Revoke(t.Context(), none...) },
		"RevokeFor": func() (int, error) { return r.RevokeFor(t.Context(), session.ReasonOperator, none...) },
		"RevokeOwn": func() (int, error) { return r.RevokeOwn(t.Context(), "ada", none...) },
		"RevokeUser": func() (int, error) {
			return r.RevokeUser(t.Context(), "ada", append(none, adas[0].ID)...)
		},
	} {
		if n, err := end(); n != 0 || err != nil {
			t.Errorf("%s = %d, %v", name, n, err)
		}
	}
	if n, err := r.RevokeOwn(t.Context(), "ada", "\x00", adas[0].ID, "\xff"); n != 1 || err != nil {
		t.Errorf("beside what is no id, a session is not ended: %d, %v", n, err)
	}
}
