package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

const device = session.Key[string]("device")

// boundRig is a rig with middleware that binds sessions to devices, as devicebound does.
func boundRig(t *testing.T) *rig {
	r := newRig(t)
	r.SetBinding(session.Binding{
		Bound:   func(s *session.Session) bool { return device.Or(s, "") == s.User() },
		Finding: session.Finding{Name: "device-bound", Advice: "Policy: choose one"},
	})
	return r
}

// signInBound signs in on a device that has a key, and returns the id.
func (r *rig) signInBound(user string) (id string) {
	r.clock.advance(time.Second)
	r.visitor().with(func(s *session.Session) { s.Login(user); device.Set(s, user); id = s.ID() })
	return id
}

func (r *rig) wantBound(want map[string]bool) {
	r.t.Helper()
	infos, err := r.Sessions(r.t.Context(), "ada")
	if err != nil || len(infos) != len(want) {
		r.t.Fatalf("Sessions = %d, %v, want %d", len(infos), err, len(want))
	}
	for _, info := range infos {
		if info.Bound != want[info.ID] {
			r.t.Errorf("%s: bound is %v, want %v", info.ID, info.Bound, want[info.ID])
		}
	}
}

func TestSessionsSaysWhichAreBoundToADevice(t *testing.T) {
	r := boundRig(t)
	bound := r.signInBound("ada")
	_, plain := r.signIn("ada")
	r.wantBound(map[string]bool{bound: true, plain: false})
}

// Only Sessions opens what it lists, only where sessions are bound at all, and no more than a hundred.
func TestAListOpensNoSessionNeedlessly(t *testing.T) {
	for name, row := range map[string]struct {
		rig      *rig
		sessions int
		want     int // loads of Sessions
	}{
		"no session is bound": {newRig(t), 3, 0},
		"some may be":         {boundRig(t), 3, 3},
		"of a user with many": {boundRig(t), 120, 100},
	} {
		newest := ""
		for range row.sessions {
			newest = row.rig.signInBound("ada")
		}
		row.rig.store.reset()
		infos, err := row.rig.Sessions(t.Context(), "ada")
		if got := row.rig.store.total(); err != nil || len(infos) != row.sessions || got != row.want {
			t.Errorf("%s: %d sessions, %v, %d loads; want %d and %d", name, len(infos), err, got, row.sessions,
				row.want)
		}
		if infos[0].ID != newest {
			t.Errorf("%s: the first is not the one last seen", name)
		}
		row.rig.store.reset()
		for info, err := range row.rig.All(t.Context()) {
			if err != nil || info.Bound {
				t.Errorf("%s: All tells of %v, %v", name, info, err)
			}
		}
		if got := row.rig.store.total(); got != 0 {
			t.Errorf("%s: All loads %d records", name, got)
		}
	}
}

// Who can write to the store cannot make a session look bound: neither by the data of one that is, nor by other fields.
func TestNobodyWhoHasTheStoreMakesASessionLookBound(t *testing.T) {
	r := boundRig(t)
	bound := r.signInBound("ada")
	_, plain := r.signIn("ada")
	store := r.store.fullStore
	from, err := store.Load(t.Context(), bound)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*session.Record){
		"data of another session": func(rec *session.Record) { rec.Data = from.Data },
		"no data":                 func(rec *session.Record) { rec.Data = nil },
	} {
		rec, err := store.Load(t.Context(), plain)
		if err != nil {
			t.Fatal(err)
		}
		change(rec)
		if err := store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		r.wantBound(map[string]bool{bound: true, plain: false})
	}
}

func TestAnOutageDoesNotMakeBoundSessionsLookUnbound(t *testing.T) {
	r := boundRig(t)
	r.signInBound("ada")
	r.store.hook(func(call, _ string) error {
		if call == "load" {
			return errors.New("down")
		}
		return nil
	})
	if _, err := r.Sessions(t.Context(), "ada"); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Sessions = %v, want that the store is down", err)
	}
}

// A session that ends or moves between the list and the look at it is still listed, as one of which nothing is known.
func TestASessionThatEndsWhileItIsListedIsNotBound(t *testing.T) {
	for name, end := range map[string]func(v *visitor, r *rig, id string){
		"ends":  func(v *visitor, _ *rig, _ string) { v.with(func(s *session.Session) { s.Logout() }) },
		"moves": func(v *visitor, _ *rig, _ string) { v.with(func(s *session.Session) { s.Regenerate() }) },
		"goes": func(_ *visitor, r *rig, id string) {
			if _, err := r.Revoke(r.t.Context(), id); err != nil {
				r.t.Error(err)
			}
		},
	} {
		r := boundRig(t)
		v, id := r.visitor(), ""
		v.with(func(s *session.Session) { s.Login("ada"); device.Set(s, "ada"); id = s.ID() })
		r.store.hook(func(call, of string) error {
			if call == "load" && of == id {
				r.store.hook(nil)
				end(v, r, id)
			}
			return nil
		})
		infos, err := r.Sessions(t.Context(), "ada")
		if err != nil || len(infos) != 1 || infos[0].Bound {
			t.Errorf("%s: Sessions = %+v, %v, want it, and not bound", name, infos, err)
		}
	}
}

func TestAuditAsksWhatBindsSessions(t *testing.T) {
	names := func(m *session.Manager) (list []string) {
		for _, f := range m.Audit() {
			list = append(list, f.Name)
		}
		return list
	}
	without, with := strings.Join(names(newRig(t).Manager), " "), strings.Join(names(boundRig(t).Manager), " ")
	if strings.Contains(without, "device") || with != without+" device-bound" {
		t.Errorf("Audit looks at %s, and with a binding at %s", without, with)
	}
}
