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

// gorilla keeps no MaxAge of a session: what its store says of all sessions is a guess.
func TestASessionThatWasRememberedMovesWhenLastsSaysSo(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		maxAge int // of the store's sessions
		lasts  time.Duration
		age    time.Duration
		change func(*takeover.Old)
		want   string
	}{
		"a short one":            {3600, 0, 2 * time.Hour, nil, nobody},
		"longer than the others": {3600, 30 * day, 2 * time.Hour, nil, whole("ada")},
		"too old":                {3600, 30 * day, 31 * day, nil, nobody},
		"without an end":         {0, 90 * day, 31 * day, nil, whole("ada")},
		"Lasts shortens nothing": {30 * 86400, time.Hour, 2 * time.Hour, nil, whole("ada")},
		"the site knows better": {3600, 30 * day, 3 * time.Hour,
			func(o *takeover.Old) { o.Deadline = o.Deadline.Add(2*time.Hour - 30*day) }, nobody},
	} {
		t.Run(name, func(t *testing.T) {
			store := sessions.NewCookieStore([]byte("0123456789abcdef"))
			store.MaxAge(0) // of the codecs, too
			store.Options.MaxAge = tt.maxAge
			old := gorillaSite(t, store)
			s := open(t, old, 1, takeover.Options{Lasts: tt.lasts, Change: tt.change})
			cookie := old.signIn("ada")
			s.ahead.Store(int64(tt.age))
			if body, _ := s.ask(0, "/", cookie); body != tt.want {
				t.Errorf("after %v the page shows %q, want %q", tt.age, body, tt.want)
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
