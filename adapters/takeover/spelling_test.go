package takeover_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"github.com/coatcheck/session/adapters/takeover"
)

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// respelled changes the bits of a base64 text that say nothing; it returns "" where there are none.
func respelled(text string) string {
	whole := strings.TrimRight(text, "=")
	if whole == text {
		return ""
	}
	last := strings.IndexByte(base64URL, whole[len(whole)-1])
	return whole[:len(whole)-1] + base64URL[last^1:last^1+1] + text[len(whole):]
}

// The cookie of a CookieStore is all that there is of its session, and securecookie takes several spellings of one.
func TestALogoutIsFinalForEverySpellingOfTheOldCookie(t *testing.T) {
	paddings := map[int]bool{}
	for user := "a"; len(user) < 10; user += "a" {
		old := oldCookies(t)
		s := open(t, old, 1, takeover.Options{})
		cookie := old.signIn(user)
		other := *cookie
		if other.Value = respelled(cookie.Value); other.Value == "" {
			continue
		}
		paddings[strings.Count(cookie.Value, "=")] = true
		_, set := s.ask(0, "/", cookie)
		s.ask(0, "/logout", set[ours])
		for _, later := range []time.Duration{0, 2 * time.Hour} {
			s.ahead.Store(int64(later))
			if body, set := s.ask(0, "/", &other); body != nobody || len(set) != 0 {
				t.Errorf("after %v another spelling shows %q with the cookies %v", later, body, set)
			}
		}
	}
	if len(paddings) != 2 {
		t.Errorf("the test has seen the paddings %v, want both", paddings)
	}
}

func TestTwoSpellingsOfACookieMakeOneSession(t *testing.T) {
	old := oldCookies(t)
	s := open(t, old, 1, takeover.Options{})
	cookie := old.signIn("ada")
	for user := "ada"; respelled(cookie.Value) == ""; user += "a" {
		cookie = old.signIn(user)
	}
	other := *cookie
	other.Value = respelled(cookie.Value)
	_, first := s.ask(0, "/", cookie)
	_, second := s.ask(0, "/", &other)
	if first[ours] == nil || second[ours] == nil || first[ours].Value != second[ours].Value {
		t.Errorf("the cookies are %v and %v, want one ticket", first, second)
	}
}

// folding is a store of scs in a database whose texts are equal but for case and spaces at the end, as those of MySQL
// are unless the table says otherwise.
type folding struct{ *memstore.MemStore }

func fold(token string) string { return strings.ToLower(strings.TrimRight(token, " ")) }

func (f folding) Find(token string) ([]byte, bool, error) { return f.MemStore.Find(fold(token)) }

func (f folding) Commit(token string, b []byte, expiry time.Time) error {
	return f.MemStore.Commit(fold(token), b, expiry)
}

func (f folding) Delete(token string) error { return f.MemStore.Delete(fold(token)) }

func TestADatabaseThatTakesNoNoticeOfCaseMakesOneSession(t *testing.T) {
	m := scs.New()
	m.Store = folding{memstore.NewWithCleanupInterval(0)}
	old, cookie := oldWith(t, m, func(context.Context) {})
	spaced := http.Cookie{Name: "old", Value: cookie.Value + " ", Quoted: true}
	upper := http.Cookie{Name: "old", Value: strings.ToUpper(cookie.Value)}
	others := []*http.Cookie{&spaced, &upper}
	var s *newSite
	s = open(t, old, 1, takeover.Options{Change: func(*takeover.Old) { // the old session is loaded, and not ended
		for len(others) > 0 {
			other := others[0]
			others = others[1:]
			s.ask(0, "/", other)
		}
	}})
	_, set := s.ask(0, "/", cookie)
	if n := s.sessionsOf("ada"); n != 1 || set[ours] == nil {
		t.Fatalf("ada has %d sessions, and the cookies %v", n, set)
	}
	s.ask(0, "/logout", set[ours])
	if n := s.sessionsOf("ada"); n != 0 {
		t.Errorf("after the logout ada has %d sessions", n)
	}
}
