package guard_test

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

func TestFreshWantsOneOfItsFactors(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login", ReloginPage: "/again", ConfirmPage: "/confirm"})
	h := r.Fresh(10*time.Minute, "otp", "webauthn")(inside)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")) })
	w := v.get(h, "/pay?to=bob", asJSON)
	wantProblem(t, w, 401, guard.NotFresh)
	if got, want := w.Header().Get("WWW-Authenticate"), `Session error="insufficient_user_authentication", `+
		`max_age="600", factors="otp webauthn"`; got != want {
		t.Errorf("WWW-Authenticate: %s, want %s", got, want)
	}
	var p struct {
		Login   string
		MaxAge  int `json:"max_age"`
		Factors []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.MaxAge != 600 || p.Login == "" ||
		!slices.Equal(p.Factors, []string{"otp", "webauthn"}) {
		t.Errorf("%s: %v", w.Body, err)
	}
	if w := v.get(h, "/pay?to=bob", asPage); w.Code != 303 ||
		w.Header().Get("Location") != "/confirm?return=%2Fpay%3Fto%3Dbob" {
		t.Errorf("status %d, Location %q, want the page that confirms", w.Code, w.Header().Get("Location"))
	}
	v.with(func(s *session.Session) { s.Confirm("sms") })
	wantProblem(t, v.get(h, "/pay", asJSON), 401, guard.NotFresh)
	v.with(func(s *session.Session) { s.Confirm("webauthn") })
	wantInside(t, v.get(h, "/pay", asJSON))
	r.clock.advance(10 * time.Minute)
	wantInside(t, v.get(h, "/pay", asJSON))
	r.clock.advance(time.Microsecond)
	wantProblem(t, v.get(h, "/pay", asJSON), 401, guard.NotFresh)
	if w := r.visitor().get(h, "/pay", asPage); w.Header().Get("Location") != "/login?return=%2Fpay" {
		t.Errorf("a stranger: Location %q, want the login page", w.Header().Get("Location"))
	}
}

// A factor is no sign-in, and a sign-in names its own factors.
func TestFreshTellsSignInsFromFactors(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")) })
	r.clock.advance(time.Hour)
	v.with(func(s *session.Session) { s.Confirm("otp") })
	wantProblem(t, v.get(r.Fresh(time.Minute)(inside), "/", asJSON), 401, guard.NotFresh)
	wantInside(t, v.get(r.Fresh(time.Minute, "otp")(inside), "/", asJSON))
	v.with(func(s *session.Session) { s.Login("ada") })
	wantInside(t, v.get(r.Fresh(time.Minute)(inside), "/", asJSON))
	wantProblem(t, v.get(r.Fresh(time.Minute, "otp")(inside), "/", asJSON), 401, guard.NotFresh)
}

// The longest time is no reason to believe in a factor that was never shown.
func TestAFactorThatWasNeverShownIsNotFreshForEver(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	wantProblem(t, v.get(r.Fresh(math.MaxInt64, "otp")(inside), "/", asJSON), 401, guard.NotFresh)
	v.with(func(s *session.Session) { s.Confirm("otp") })
	wantInside(t, v.get(r.Fresh(math.MaxInt64, "otp")(inside), "/", asJSON))
}

// A name that no session can have would send people to confirm again and again.
func TestFreshRefusesAFactorThatNobodyCanShow(t *testing.T) {
	for _, name := range []string{"", "OTP", "one time", "otp\n", "café", strings.Repeat("x", 33)} {
		var log strings.Builder
		r := newRig(t, guard.Options{ConfirmPage: "/confirm"}, logTo(&log))
		w := r.signIn("ada").get(r.Fresh(time.Minute, "otp", name)(inside), "/", asPage)
		if w.Code != 500 || !strings.Contains(log.String(), "guard: Fresh") {
			t.Errorf("%q: status %d, log %q, want a failure that names Fresh", name, w.Code, log.String())
		}
	}
	r := newRig(t, guard.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("example:a_b-c.9")) })
	wantInside(t, v.get(r.Fresh(time.Minute, strings.Repeat("x", 32), "example:a_b-c.9")(inside), "/", asJSON))
}

// Where the key of the device is asked for as well, it is asked after the factor.
func TestFreshWithFactorsAsksForTheProofAsWell(t *testing.T) {
	proof := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	}
	r := newRig(t, guard.Options{Proof: proof})
	v := r.signIn("ada")
	h := r.Fresh(time.Minute, "otp")(inside)
	wantProblem(t, v.get(h, "/", asJSON), 401, guard.NotFresh)
	v.with(func(s *session.Session) { s.Confirm("otp") })
	if w := v.get(h, "/"); w.Code != http.StatusTeapot {
		t.Errorf("status %d, want that of the proof", w.Code)
	}
}

func TestThePagesThatConfirmStayOnTheSite(t *testing.T) {
	if _, err := guard.New(newRig(t, guard.Options{}).m, guard.Options{ConfirmPage: "//evil.example"}); err == nil {
		t.Error("New takes a ConfirmPage of another site")
	}
	for want, opts := range map[string]guard.Options{
		"/c?return=%2F": {LoginPage: "/l", ReloginPage: "/r", ConfirmPage: "/c"},
		"/r?return=%2F": {LoginPage: "/l", ReloginPage: "/r"},
		"/l?return=%2F": {LoginPage: "/l"},
	} {
		r := newRig(t, opts)
		w := r.signIn("ada").get(r.Fresh(time.Minute, "otp")(inside), "/", asPage)
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("%+v: Location %q, want %q", opts, got, want)
		}
	}
}
