package session_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A user signs in with a password, and shows a code before the first payment. guard.Fresh(5*time.Minute, "otp") lets
// them through from then on.
func ExampleSession_Confirm() {
	sessions := newManager()
	defer sessions.Close()
	s, err := sessions.Open(context.Background(), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Login("ada", session.Factor("pwd"))
	fmt.Println(s.FactorAt("pwd").Equal(s.LoginAt()), s.FactorAt("otp").IsZero())
	s.Confirm("otp")
	fmt.Println(s.User(), len(s.Factors()), s.FactorAt("otp").IsZero())
	// Output:
	// true true
	// ada 2 false
}

// A site whose users sign in with two factors, with the clocks of level 2.
func ExampleAAL2() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.AAL2(session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	for _, f := range sessions.Audit() {
		if f.Name == "assurance-clocks" {
			fmt.Println(f.Pass, f.Advice)
		}
	}
	// Output: true the clocks are those of AAL2 in NIST SP 800-63B-4
}

// A page asks now and then how long the session lasts. That does not keep it alive.
func ExampleManager_Peek() {
	sessions := newManager()
	defer sessions.Close()
	signIn := sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") })
	left := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, err := sessions.Peek(r)
		if err != nil {
			sessions.Fail(w, r, err)
			return
		}
		fmt.Fprintln(w, info.User, info.ExpiresAt.Sub(sessions.Now()).Round(time.Hour))
	})
	ada := browser(signIn, nil)
	fmt.Print(browser(left, ada).Body)
	// Output: ada 24h0m0s
}
