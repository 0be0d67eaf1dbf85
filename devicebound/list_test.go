package devicebound_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
)

// wantBound wants the sessions of ada to be bound or not, the one last seen first.
func (s *site) wantBound(want ...bool) {
	s.t.Helper()
	infos, err := s.m.Sessions(s.t.Context(), "ada")
	if err != nil || len(infos) != len(want) {
		s.t.Fatalf("Sessions = %d, %v, want %d", len(infos), err, len(want))
	}
	for i, info := range infos {
		if info.Bound != want[i] {
			s.t.Errorf("session %d: bound is %v, want %v", i, info.Bound, want[i])
		}
	}
}

func TestTheListOfSessionsSaysWhichAreBound(t *testing.T) {
	s := newSite(t, devicebound.Options{})
	deaf := s.browser()
	deaf.Deaf = true
	deaf.Get("/login") // it is offered a registration, and knows nothing of it
	s.clock.advance(2 * time.Second)
	b := s.signedIn()
	s.wantBound(true, false)
	b.Hold = true
	s.clock.advance(2 * time.Second)
	b.Get("/login") // the key from before is none of this Login's
	s.wantBound(false, false)
	b.Register()
	s.wantBound(true, false)
}

func TestAuditTellsThePolicy(t *testing.T) {
	for policy, want := range map[devicebound.Policy]bool{
		devicebound.Prefer: false, devicebound.Enforce: true, devicebound.Require: true,
	} {
		var found []session.Finding
		for _, f := range newSite(t, devicebound.Options{Policy: policy}).m.Audit() {
			if f.Name == "device-bound" {
				found = append(found, f)
			}
		}
		if len(found) != 1 || found[0].Pass != want || want == strings.HasPrefix(found[0].Advice, "devicebound.") {
			t.Errorf("policy %d: Audit finds %+v, want pass %v", policy, found, want)
		}
	}
}
