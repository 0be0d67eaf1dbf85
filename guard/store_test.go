package guard_test

import (
	"os"
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

// A loss of power may tear the record of a count. No ticket leads to it, so that nobody else would ever replace it, and
// whoever is counted there would be kept out for good. The count begins again.
func TestACountThatIsTornKeepsNobodyOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "counts")
	counts, err := filestore.New(dir, filestore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { counts.Close() })
	r := newRig(t, guard.Options{})
	ada := r.signIn("ada")
	h := r.Rate(guard.Limit{Requests: 2, Per: time.Hour, Users: counts})(inside)
	wantInside(t, ada.get(h, "/"))
	tear(t, dir)
	wantInside(t, ada.get(h, "/"))
	wantInside(t, ada.get(h, "/"))
	wantProblem(t, ada.get(h, "/", asJSON), 429, guard.TooMany)
}

// tear empties the records in the folder of a filestore.
func tear(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "records", "*", "????????????????????????????????*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the records are %q, %v", files, err)
	}
	for _, file := range files {
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
	}
}
