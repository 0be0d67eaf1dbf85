package guard_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// steps is a site that asks for a code after the password.
type steps struct {
	*door
	password, code http.Handler
}

func newSteps(t *testing.T, opts guard.Options, change ...func(*session.Options)) *steps {
	s := &steps{door: newDoor(t, opts, change...)}
	s.password = s.SignIn(byUser)(s.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if r.PostFormValue("password") != right {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		s.Set("pending", r.PostFormValue("user"))
		guard.StepDone(r)
	}))
	pending := func(r *http.Request) string {
		user := ""
		if s, err := s.m.Load(r.Context()); err == nil {
			user, _ = s.Get("pending").(string)
		}
		return user
	}
	s.code = s.m.Middleware(s.SignIn(pending)(s.m.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			if r.PostFormValue("code") != "123456" {
				w.WriteHeader(http.StatusUnprocessableEntity)
				return
			}
			s.Login(s.Pop("pending").(string))
		})))
	return s
}

func (s *steps) try(a at, h http.Handler, name, value string) *httptest.ResponseRecorder {
	r := request("POST", "/login")
	r.Body, r.PostForm = http.NoBody, url.Values{"user": {"ann"}, name: {value}}
	r.RemoteAddr = a.address + ":4711"
	return a.send(h, r)
}

// A browser that forgets its cookies is a new device each time, and its owner is no guesser for that.
func TestASignInOfTwoStepsLeavesNoFailureBehind(t *testing.T) {
	told := 0
	s := newSteps(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 2}}, func(o *session.Options) {
		o.OnEvent = func(_ context.Context, e session.Event) {
			if e.Kind == session.EventNewDevice {
				told++
			}
		}
	})
	for i := range 20 {
		private := s.from(1)
		first, second := s.try(private, s.password, "password", right), s.try(private, s.code, "code", "123456")
		if first.Code != 200 || second.Code != 200 || sentDevice(t, first) != nil || sentDevice(t, second) == nil {
			t.Fatalf("sign-in %d: status %d and %d, cookies %v and %v", i, first.Code, second.Code,
				first.Result().Cookies(), second.Result().Cookies())
		}
		if told != i+1 {
			t.Fatalf("after %d sign-ins on new devices, %d are reported", i+1, told)
		}
	}
}

// Whoever has the password gets no more guesses at the code by sending the password again, on a known device either.
func TestTheRightPasswordGivesNoGuessesAtTheCode(t *testing.T) {
	s := newSteps(t, guard.Options{SignIn: guard.SignInLimits{Attempts: 5}})
	known := s.from(1)
	s.try(known, s.password, "password", right)
	s.try(known, s.code, "code", "123456")
	s.clock.advance(7 * 24 * time.Hour)
	for name, thief := range map[string]at{"a stranger": s.from(2), "a known device": known} {
		for minutes, want := range []int{5, 1} {
			s.clock.advance(time.Duration(minutes) * time.Minute)
			guesses := 0
			for range 30 {
				s.try(thief, s.password, "password", right)
				if s.try(thief, s.code, "code", "000000").Code == http.StatusUnprocessableEntity {
					guesses++
				}
			}
			if guesses != want {
				t.Errorf("%s has %d guesses at the code in minute %d, want %d", name, guesses, minutes, want)
			}
		}
	}
}

func TestAStepOutsideOfSignInIsNothing(t *testing.T) {
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { guard.StepDone(r) })
	if w := from(h, "192.0.2.1"); w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}
