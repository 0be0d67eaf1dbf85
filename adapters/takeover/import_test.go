package takeover_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/alexedwards/scs/v2"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
)

func TestImportMovesAllAtOnce(t *testing.T) {
	for name, hashed := range map[string]bool{"plain": false, "hashed": true} {
		t.Run(name, func(t *testing.T) {
			m := scs.New()
			m.Cookie.Name, m.HashTokenInStore = "old", hashed
			old := scsSite(t, m)
			s := open(t, old, 1, takeover.Options{})
			cookies := map[string]*http.Cookie{}
			for i := range 20 {
				user := fmt.Sprintf("user%d", i)
				cookies[user] = old.signIn(user)
			}
			var last takeover.Progress
			importer, err := takeover.New(s.sessions, takeover.SCS(m), takeover.Options{User: userOf})
			if err != nil {
				t.Fatal(err)
			}
			calls := 0
			err = importer.Import(t.Context(), func(p takeover.Progress) { calls++; last = p })
			if err != nil || last != (takeover.Progress{Total: 20, Moved: 20}) || calls != 20 || old.left() != 0 {
				t.Fatalf("Import = %v, %+v in %d calls, and %d old sessions are left", err, last, calls, old.left())
			}
			for user, cookie := range cookies {
				if body, set := s.ask(0, "/", cookie); body != whole(user) || set[ours] == nil {
					t.Errorf("%s: %q with the cookies %v", user, body, set)
				}
				if n := s.sessionsOf(user); n != 1 {
					t.Errorf("%s has %d sessions", user, n)
				}
			}
			if err := importer.Import(t.Context(), nil); err != nil {
				t.Errorf("Import of nothing = %v", err)
			}
		})
	}
}

func TestImportGoesOnWhereItStopped(t *testing.T) {
	m := scs.New()
	m.Cookie.Name = "old"
	old := scsSite(t, m)
	for i := range 10 {
		old.signIn(fmt.Sprintf("user%d", i))
	}
	var last takeover.Progress
	ctx, cancel := context.WithCancel(t.Context())
	s := open(t, old, 1, takeover.Options{})
	importer, err := takeover.New(s.sessions, takeover.SCS(m), takeover.Options{User: userOf})
	if err != nil {
		t.Fatal(err)
	}
	err = importer.Import(ctx, func(p takeover.Progress) {
		if last = p; p.Moved == 4 {
			cancel()
		}
	})
	if err == nil || last.Moved != 4 || old.left() != 6 {
		t.Fatalf("Import = %v after %+v, and %d old sessions are left", err, last, old.left())
	}
	err = importer.Import(t.Context(), func(p takeover.Progress) { last = p })
	if err != nil || last != (takeover.Progress{Total: 6, Moved: 6}) || old.left() != 0 {
		t.Errorf("Import = %v, %+v, and %d old sessions are left", err, last, old.left())
	}
}

func TestImportSaysThatASourceCannotList(t *testing.T) {
	s := open(t, oldFiles(t), 1, takeover.Options{})
	if err := s.takeover.Import(t.Context(), nil); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("Import = %v, want ErrNotSupported", err)
	}
}

func TestImportCountsWhatHoldsNothingAndWhatIsRefused(t *testing.T) {
	m := scs.New()
	m.Cookie.Name = "old"
	old := scsSite(t, m)
	old.signIn("ada")
	old.signIn("ada")
	old.signIn("a\x00b")
	var last takeover.Progress
	s := open(t, old, 1, takeover.Options{}, func(o *session.Options) {
		o.MaxPerUser, o.Overflow = 1, session.RefuseNew
	})
	importer, err := takeover.New(s.sessions, takeover.SCS(m), takeover.Options{User: userOf})
	if err != nil {
		t.Fatal(err)
	}
	err = importer.Import(t.Context(), func(p takeover.Progress) { last = p })
	if err != nil || last != (takeover.Progress{Total: 3, Moved: 1, Skipped: 1, Refused: 1}) {
		t.Errorf("Import = %v, %+v", err, last)
	}
}
