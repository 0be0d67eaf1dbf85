package sessiontest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

// A test of a store is a call of Run; Check says the same without a *testing.T.
func ExampleCheck() {
	newStore := func() session.Store { return memstore.New(memstore.Options{}) }
	err := sessiontest.Check(context.Background(), newStore, sessiontest.CheckOptions{
		Bounded: func(max int) session.Store { return memstore.New(memstore.Options{MaxSessions: max}) },
	})
	fmt.Println(err)
	// Output: <nil>
}

// forgetful returns nothing, and no error, for what is not there.
type forgetful struct{ session.Store }

func (f forgetful) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := f.Store.Load(ctx, id)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	return rec, err
}

// A broken rule is reported with the sentence of the contract that it checks.
func ExampleRuleError() {
	err := sessiontest.Check(context.Background(), func() session.Store {
		return forgetful{memstore.New(memstore.Options{})}
	})
	var broken *sessiontest.RuleError
	if errors.As(err, &broken) {
		fmt.Println(broken.Rule)
		fmt.Println(broken.Why)
	}
	// Output:
	// what was never saved is not found
	// Store 1: Load returns the record as it was last saved or touched, or an error that wraps [ErrNotFound].
}

// A test of a handler makes a request of somebody who is signed in, and looks at what became of the session.
func ExampleRequest() {
	testLogout := func(t testing.TB) {
		m := sessiontest.NewManager(t)
		logout := m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			user := s.User()
			s.Logout() // before the first byte, with which the headers leave
			fmt.Fprintf(w, "goodbye, %s", user)
		})
		r := sessiontest.Request(t, m, httptest.NewRequest("POST", "/logout", nil), func(s *session.Session) {
			s.Login("ada")
		})
		w := httptest.NewRecorder()
		logout.ServeHTTP(w, r)

		fmt.Println(w.Body)
		sessiontest.DeletesTicket(t, m, w.Result())
		if s := sessiontest.After(t, m, r, w.Result()); s.User() != "" {
			t.Errorf("after a logout the user is %q", s.User())
		}
	}
	testLogout(&printed{}) // in your own tests, t is what the test is given
	// Output: goodbye, ada
}

// printed is a test that prints what it is told, for an example has none of its own.
type printed struct{ testing.TB }

func (*printed) Helper()                           {}
func (*printed) Cleanup(func())                    {}
func (*printed) Context() context.Context          { return context.Background() }
func (*printed) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
