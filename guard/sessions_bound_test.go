package guard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// boundRig is a rig with two sessions of ada, of which the first is bound to its device.
func boundRig(t *testing.T, opts guard.Options) (*rig, *visitor) {
	const device = session.Key[bool]("device")
	r := newRig(t, opts)
	r.m.SetBinding(session.Binding{Bound: func(s *session.Session) bool { return device.Or(s, false) }})
	v := r.signIn("ada")
	v.with(func(s *session.Session) { device.Set(s, true) })
	r.signIn("ada")
	return r, v
}

func TestThePageSaysWhichSessionIsBoundToItsDevice(t *testing.T) {
	r, v := boundRig(t, guard.Options{})
	body := v.get(r.Sessions(), "/devices", asPage).Body.String()
	if n := strings.Count(body, guard.English().Bound); n != 1 || !strings.Contains(body, `<p class="bound"><svg`) {
		t.Errorf("the page says of %d sessions that they are bound, want 1:\n%s", n, body)
	}
	if body := v.get(r.Sessions(), "/devices", asJSON).Body.String(); strings.Count(body, `"bound":true`) != 1 ||
		strings.Count(body, `"bound":false`) != 1 {
		t.Errorf("the list is %s", body)
	}
}

// Words from before they had a text for it show no key without words.
func TestWordsWithoutOneForBoundShowNothing(t *testing.T) {
	r, v := boundRig(t, guard.Options{Words: func(*http.Request) guard.Words { return guard.Words{Title: "Geräte"} }})
	if body := v.get(r.Sessions(), "/devices", asPage).Body.String(); strings.Contains(body, `class="bound"`) {
		t.Errorf("the page shows a key:\n%s", body)
	}
}

func TestThePageOfTheSiteIsToldWhatIsBound(t *testing.T) {
	r, v := boundRig(t, guard.Options{ShowSessions: func(w http.ResponseWriter, _ *http.Request, p guard.SessionsPage) {
		for _, d := range p.Devices {
			fmt.Fprint(w, d.Current, d.Bound, " ")
		}
	}})
	if body := v.get(r.Sessions(), "/devices", asPage).Body.String(); body != "true true false false " {
		t.Errorf("the page is told %q", body)
	}
}
