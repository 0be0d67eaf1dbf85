package takeover_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
)

// troubled is a store of gorilla whose server answers with errors.
type troubled struct {
	*sessions.FilesystemStore
	load, save error
	anonymous  bool // a session that could not be loaded has no ID
	lost       bool // what was saved is done in spite of the error
}

func (t *troubled) New(r *http.Request, name string) (*sessions.Session, error) {
	s, err := t.FilesystemStore.New(r, name)
	if t.load == nil {
		return s, err
	}
	empty := sessions.NewSession(t, name)
	empty.Options, empty.IsNew = s.Options, true
	if !t.anonymous {
		empty.ID = s.ID
	}
	return empty, t.load
}

func (t *troubled) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(t, name)
}

func (t *troubled) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if t.save != nil && !t.lost {
		return t.save
	}
	return errors.Join(t.FilesystemStore.Save(r, w, s), t.save)
}

func oldTroubled(t *testing.T) (*troubled, oldSite) {
	store := &troubled{FilesystemStore: sessions.NewFilesystemStore(t.TempDir(), []byte("0123456789abcdef"))}
	return store, gorillaSite(t, store)
}

const unavailable = "Please try again in a moment."

func TestAServerThatAnswersWithAnErrorIsAnOutage(t *testing.T) {
	for _, anonymous := range []bool{false, true} {
		store, old := oldTroubled(t)
		s := open(t, old, 1, takeover.Options{})
		cookie := old.signIn("ada")
		store.load, store.anonymous = errors.New("LOADING Redis is loading the dataset in memory"), anonymous
		if body, set := s.ask(0, "/", cookie); body != unavailable || len(set) != 0 {
			t.Errorf("%q with the cookies %v, want a 503 that touches no cookie", body, set)
		}
		store.load = nil
		if body, _ := s.ask(0, "/", cookie); body != whole("ada") {
			t.Errorf("after the outage: %q", body)
		}
	}
}

func TestASessionThatIsNotThereIsNoOutage(t *testing.T) {
	key := []byte("0123456789abcdef")
	var value string
	forged := securecookie.DecodeMulti("old", "forged", &value, securecookie.CodecsFromPairs(key)...)
	for _, err := range []error{
		forged, fs.ErrNotExist, fmt.Errorf("find the session: %w", sql.ErrNoRows),
		errors.New(`gob: name not registered for interface: "main.Cart"`),
	} {
		told := 0
		store, old := oldTroubled(t)
		s := open(t, old, 1, takeover.Options{}, func(o *session.Options) {
			o.OnEvent = func(_ context.Context, e session.Event) {
				if e.Kind == session.EventUndecodable {
					told++
				}
			}
		})
		cookie := old.signIn("ada")
		store.load = err
		if body, set := s.ask(0, "/", cookie); body != nobody || len(set) != 0 {
			t.Errorf("%v: %q with the cookies %v", err, body, set)
		}
		if unreadable := strings.HasPrefix(err.Error(), "gob"); (told == 1) != unreadable {
			t.Errorf("%v: there were %d events", err, told)
		}
	}
}

// A store may have an error of its own for a session that is gone. The site says so, for it looks like an outage.
func TestASessionOfWhichTheSiteKnowsThatItIsGoneIsNobody(t *testing.T) {
	miss := errors.New("memcache: cache miss")
	isMiss := func(err error) bool { return errors.Is(err, miss) }
	for _, anonymous := range []bool{false, true} {
		store, old := oldTroubled(t)
		s := open(t, old, 1, takeover.Options{Gone: isMiss})
		cookie := old.signIn("ada")
		store.load, store.anonymous = fmt.Errorf("load: %w", miss), anonymous
		s.wantNobody(cookie)
		store.load = errors.New("memcache: connection refused")
		if body, set := s.ask(0, "/", cookie); body != unavailable || len(set) != 0 {
			t.Errorf("an outage: %q with the cookies %v", body, set)
		}
		store.load = nil
		if body, _ := s.ask(0, "/", cookie); body != whole("ada") {
			t.Errorf("after the outage: %q", body)
		}
	}
}

func TestAnEndThatFindsNothingIsDone(t *testing.T) {
	store, old := oldTroubled(t)
	miss := errors.New("memcache: cache miss")
	s := open(t, old, 1, takeover.Options{
		Gone:   func(err error) bool { return errors.Is(err, miss) },
		Change: func(*takeover.Old) { store.save, store.load = errors.New("the answer is lost"), miss },
	})
	cookie := old.signIn("ada")
	for range 2 { // the first response may be lost, too
		if body, set := s.ask(0, "/", cookie); body != whole("ada") || set[ours] == nil {
			t.Errorf("%q with the cookies %v", body, set)
		}
	}
	store.load = errors.New("the server is down")
	if body, set := s.ask(0, "/", cookie); body != whole("ada") || set[ours] == nil {
		t.Errorf("with the old server down: %q with the cookies %v", body, set)
	}
}

// Nobody gets a ticket while the session may go on in the old library.
func TestASessionThatTheServerDoesNotEndDoesNotMove(t *testing.T) {
	for name, loadToo := range map[string]bool{"read only": false, "down by then": true} {
		t.Run(name, func(t *testing.T) {
			store, old := oldTroubled(t)
			failed := errors.New("READONLY You can't write against a read only replica")
			s := open(t, old, 1, takeover.Options{Change: func(*takeover.Old) { // loaded by now
				if store.save = failed; loadToo {
					store.load = failed
				}
			}})
			cookie := old.signIn("ada")
			for range 2 {
				if body, set := s.ask(0, "/", cookie); body != unavailable || len(set) != 0 {
					t.Errorf("%q with the cookies %v, want a 503 that touches no cookie", body, set)
				}
			}
			store.save, store.load = nil, nil
			body, set := s.ask(0, "/", cookie)
			if body != whole("ada") || set[ours] == nil || s.sessionsOf("ada") != 1 {
				t.Errorf("afterwards %q with the cookies %v, and %d sessions", body, set, s.sessionsOf("ada"))
			}
		})
	}
}

func TestAnEndWhoseAnswerIsLostIsDone(t *testing.T) {
	store, old := oldTroubled(t)
	s := open(t, old, 1, takeover.Options{Change: func(*takeover.Old) {
		store.save, store.lost = errors.New("the answer is lost"), true
	}})
	if body, set := s.ask(0, "/", old.signIn("ada")); body != whole("ada") || set[ours] == nil {
		t.Errorf("%q with the cookies %v", body, set)
	}
}

// A cookie that is the session has nothing to be ended. The one that says so to the client is not needed.
func TestACookieThatCannotBeWrittenAgainMoves(t *testing.T) {
	store := sessions.NewCookieStore([]byte("0123456789abcdef"))
	old := gorillaSite(t, store)
	s := open(t, old, 1, takeover.Options{Change: func(*takeover.Old) {
		store.Codecs[0].(*securecookie.SecureCookie).MaxLength(10)
	}})
	if body, set := s.ask(0, "/", old.signIn("ada")); body != whole("ada") || set[ours] == nil {
		t.Errorf("%q with the cookies %v", body, set)
	}
}
