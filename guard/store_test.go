package guard_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/guard"
)

// What the guards keep is kept by any store: here by one that encodes all of it, with a limit of sessions and sealed
// data.
func TestTheGuardsWorkOnAStoreOnDisk(t *testing.T) {
	store, err := filestore.New(filepath.Join(t.TempDir(), "sessions"), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, store, &clock{t: time.Unix(1e9, 0).UTC()}, guard.Options{}, func(o *session.Options) {
		o.Seal, o.RequireSealed, o.MaxPerUser = true, true, 2
	})
	first := r.signIn("ada", roles("admin"))
	r.clock.advance(time.Second)
	phone, desk := r.signIn("ada", roles("admin")), r.signIn("ada", roles("admin"))
	wantProblem(t, first.get(r.User(inside), "/", asJSON), 401, guard.NoUser)
	limit := r.Rate(guard.Limit{Requests: 2, Per: time.Hour, Users: store})(r.Role("admin")(inside))
	wantInside(t, phone.get(limit, "/"))
	wantInside(t, desk.get(limit, "/"))
	wantProblem(t, phone.get(limit, "/", asJSON), 429, guard.TooMany)
	if err := changeRoles(r.m, "ada"); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, desk.get(r.Role("admin")(inside), "/", asJSON), 403, guard.NoRole)
	h := r.CSRF(formPage)
	wantInside(t, phone.post(h, "/form", field(phone.token(h))))
	l := decode(t, phone.get(r.Sessions(), "/", asJSON))
	if len(l.Sessions) != 2 {
		t.Errorf("%d sessions listed, want 2", len(l.Sessions))
	}
	r.clock.advance(2 * time.Hour)
	if n, err := r.m.Sweep(t.Context()); err != nil || n == 0 {
		t.Errorf("Sweep = %d, %v, want the count gone", n, err)
	}
	wantInside(t, desk.get(r.Rate(guard.Limit{Requests: 2, Per: time.Hour, Users: store})(inside), "/"))
	if got := desk.user(); got != "ada" {
		t.Errorf("user %q after the sweep, want ada", got)
	}
}
