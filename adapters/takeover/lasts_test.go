package takeover_test

import (
	"encoding/gob"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session/adapters/takeover"
)

// The site says an hour, and the cookies of the old library are good for 30 days.
func TestLastsThatIsTooShortBringsNobodyBack(t *testing.T) {
	for name, over := range map[string]func(s *newSite, old *http.Cookie){
		"logout": func(s *newSite, old *http.Cookie) {
			_, set := s.ask(0, "/", old)
			s.ask(0, "/logout", set[ours])
		},
		"revocation": func(s *newSite, _ *http.Cookie) {
			if _, err := s.sessions.RevokeUser(s.Context(), "ada"); err != nil {
				s.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, oldCookies(t), 1, takeover.Options{Lasts: time.Hour})
			cookie := s.signIn("ada")
			over(s, cookie)
			s.ahead.Store(int64(3 * time.Hour))
			if _, err := s.sessions.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			if body, set := s.ask(0, "/", cookie); body != nobody || set[ours] != nil {
				t.Errorf("three hours later the old cookie shows %q with the cookies %v", body, set)
			}
		})
	}
}

func init() { gob.Register(named("")) }

// named is a type of keys, as people make one for a context.
type named string

func TestAKeyThatIsATextIsKeptBesideOneThatPrintsAlike(t *testing.T) {
	for range 20 { // the order of a map is random
		store := sessions.NewFilesystemStore(t.TempDir(), []byte("0123456789abcdef"))
		old := gorillaSite(t, store)
		s := open(t, old, 1, takeover.Options{})
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		g, _ := store.Get(r, "old")
		g.Values["user"], g.Values[named("user")], g.Values[named("n")] = "ada", "eve", 7
		if err := g.Save(r, w); err != nil {
			t.Fatal(err)
		}
		if moved := s.moved(w.Result().Cookies()[0]); moved.User() != "ada" || moved.Get("n") != int64(7) {
			t.Fatalf("the session is of %q, with %v", moved.User(), moved.All())
		}
	}
}
