package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

func roles(names ...string) func(*session.Session) {
	return func(s *session.Session) { guard.Roles.Set(s, names) }
}

func TestARoleOfTheSessionOpensTheDoor(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	admin, editor, none := r.signIn("ada", roles("editor", "admin")), r.signIn("bob", roles("editor")), r.signIn("eve")
	wantInside(t, admin.get(r.Role("admin")(inside), "/"))
	wantInside(t, editor.get(r.Role("admin", "editor")(inside), "/"))
	for _, v := range []*visitor{editor, none} {
		wantProblem(t, v.get(r.Role("admin")(inside), "/", asJSON), 403, guard.NoRole)
		wantPage(t, v.get(r.Role("admin")(inside), "/", asPage), 403)
	}
	wantProblem(t, admin.get(r.Role()(inside), "/", asJSON), 403, guard.NoRole)
	if w := r.visitor().get(r.Role("admin")(inside), "/admin",
		asPage); w.Header().Get("Location") != "/login?return=%2Fadmin" {
		t.Errorf("a stranger gets %d, %v, want the login page", w.Code, w.Header())
	}
}

func TestEveryPermissionIsNeeded(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada", func(s *session.Session) { guard.Permissions.Set(s, []string{"read", "write"}) })
	wantInside(t, v.get(r.Permission("read", "write")(inside), "/"))
	wantInside(t, v.get(r.Permission("read")(inside), "/"))
	wantProblem(t, v.get(r.Permission("read", "delete")(inside), "/", asJSON), 403, guard.NoPermission)
	wantProblem(t, v.get(r.Permission()(inside), "/", asJSON), 403, guard.NoPermission)
	wantProblem(t, r.visitor().get(r.Permission("read")(inside), "/", asJSON), 401, guard.NoUser)
}

func TestAnotherUserInheritsNoRole(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada", roles("admin"))
	v.with(func(s *session.Session) { s.Login("bob") })
	wantProblem(t, v.get(r.Role("admin")(inside), "/", asJSON), 403, guard.NoRole)
}

func TestRolesAreNoDataOfTheApplication(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada", roles("admin"))
	v.with(func(s *session.Session) {
		if len(s.All()) != 0 {
			t.Errorf("All = %v, want nothing", s.All())
		}
		s.Clear()
	})
	wantInside(t, v.get(r.Role("admin")(inside), "/"))
}

func TestAFunctionKnowsTheRoles(t *testing.T) {
	table := map[string][]string{"ada": {"admin"}}
	wrong := errors.New("database down")
	r := newRig(t, guard.Options{Roles: func(_ *http.Request, s *session.Session) ([]string, error) {
		if s.User() == "eve" {
			return []string{"admin"}, wrong
		}
		return table[s.User()], nil
	}})
	h := r.Role("admin")(inside)
	phone, desk := r.signIn("ada"), r.signIn("ada")
	wantInside(t, phone.get(h, "/"))
	wantProblem(t, r.signIn("bob", roles("admin")).get(h, "/", asJSON), 403, guard.NoRole)
	wantProblem(t, r.visitor().get(h, "/", asJSON), 401, guard.NoUser)
	if w := r.signIn("eve").get(h, "/", asJSON); w.Code != 500 {
		t.Errorf("a lookup that fails: status %d, want 500", w.Code)
	}
	delete(table, "ada")
	wantProblem(t, desk.get(h, "/", asJSON), 403, guard.NoRole)
}

func changeRoles(m *session.Manager, user string, names ...string) error {
	_, err := m.UpdateUser(context.Background(), user, func(s *session.Session) error {
		guard.Roles.Set(s, names)
		return nil
	})
	return err
}

func TestARoleChangeHoldsAtOnceOnAllDevicesOfTheUser(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Role("admin")(inside)
	phone, desk, bob := r.signIn("ada", roles("admin")), r.signIn("ada", roles("admin")),
		r.signIn("bob", roles("admin"))
	if err := changeRoles(r.node().m, "ada", "editor"); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*visitor{phone, desk} {
		wantProblem(t, v.get(h, "/", asJSON), 403, guard.NoRole)
		wantInside(t, v.get(r.Role("editor")(inside), "/"))
	}
	wantInside(t, bob.get(h, "/"))
}

// Requests that are under way, and save what they read before, do not bring the old role back.
func TestARequestUnderWayDoesNotBringAnOldRoleBack(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada", roles("admin"))
	v.with(func(s *session.Session) {
		if len(guard.Roles.Or(s, nil)) != 1 {
			t.Error("no role before the change")
		}
		if err := changeRoles(r.node().m, "ada"); err != nil {
			t.Error(err)
		}
		s.Set("cart", 1)
	})
	wantProblem(t, v.get(r.Role("admin")(inside), "/", asJSON), 403, guard.NoRole)
}

// The recipe of the documentation for a sign-in that reads the roles from a database, while they change: saved first,
// the session is in the list before the roles are read; and they are read again when something came between.
func TestASignInThatRacesAChangeOfRolesEndsWithTheNewOnes(t *testing.T) {
	r := newRig(t, guard.Options{})
	other := r.node()
	for round := range 30 {
		user := fmt.Sprint("user", round)
		var mu sync.Mutex
		table := []string{"admin"}
		read := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return table
		}
		var wg sync.WaitGroup
		v := r.visitor()
		wg.Go(func() {
			v.with(func(s *session.Session) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				s.Login(user)
				if err := s.Save(ctx); err != nil {
					t.Error(err)
				}
				err := s.Atomic(ctx, func(s *session.Session) error { guard.Roles.Set(s, read()); return nil })
				if err != nil {
					t.Error(err)
				}
			})
		})
		wg.Go(func() {
			mu.Lock()
			table = []string{"editor"}
			mu.Unlock()
			if err := changeRoles(other.m, user, "editor"); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		wantProblem(t, v.get(r.Role("admin")(inside), "/", asJSON), 403, guard.NoRole)
	}
}
