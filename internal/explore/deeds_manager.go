package explore

import (
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

// deedsOfManagers are what the application does to sessions that are not those of the request.
func deedsOfManagers() []deed {
	return []deed{
		{name: "revoke", ends: desk, direct: func(ctx context.Context, a *act) error {
			_, err := a.m.Revoke(ctx, a.sc.at(desk).id)
			return err
		}},
		{name: "revoke for", ends: desk, direct: func(ctx context.Context, a *act) error {
			_, err := a.m.RevokeFor(ctx, session.ReasonOperator, a.sc.at(desk).id)
			return err
		}},
		{name: "revoke all for", ends: all, direct: func(ctx context.Context, a *act) error {
			_, err := a.m.RevokeUserFor(ctx, session.ReasonPassword, "ada")
			return err
		}},
		{name: "revoke all", ends: all, direct: func(ctx context.Context, a *act) error {
			_, err := a.m.RevokeUser(ctx, "ada")
			return err
		}},
		{name: "revoke others", ends: others, phone: true, direct: func(ctx context.Context, a *act) error {
			_, err := a.m.RevokeUser(ctx, "ada", a.sc.at(desk).id)
			return err
		}},
		{name: "regenerate and revoke others", moves: true, ends: others, phone: true, do: func(a *act) {
			a.s.Regenerate()
			a.revokeOthers()
		}},
		{name: "set and revoke others", ends: others, phone: true, do: func(a *act) {
			a.set("k")
			a.revokeOthers()
		}},
		{name: "list and revoke", ends: all, direct: listAndRevoke},
		{name: "list and revoke one", ends: desk, direct: listAndRevokeOne},
		{name: "update user", direct: func(ctx context.Context, a *act) error {
			return a.updateUser(ctx, func(s *session.Session) { s.Set(fmt.Sprint("banned", a.index), true) })
		}},
		{name: "take the role", direct: func(ctx context.Context, a *act) error {
			return a.updateUser(ctx, role.Remove)
		}},
	}
}

// revokeOthers ends the others from within a request, if it is one of ada's.
func (a *act) revokeOthers() {
	if a.s.User() != "ada" {
		a.failed = true
		return
	}
	if _, err := a.m.RevokeUser(a.r.Context(), "ada", a.s.ID()); err != nil {
		a.fail(err)
	}
}

// listAndRevoke ends each session that was listed.
func listAndRevoke(ctx context.Context, a *act) error {
	infos, err := a.m.Sessions(ctx, "ada")
	for _, info := range infos {
		if err == nil {
			_, err = a.m.Revoke(ctx, info.ID)
		}
	}
	return err
}

// listAndRevokeOne ends the session of the desk by the id that it was listed with, the new one while it gets another.
func listAndRevokeOne(ctx context.Context, a *act) error {
	infos, err := a.m.Sessions(ctx, "ada")
	id := a.sc.at(desk).id
	for _, info := range infos {
		if info.CreatedAt.Equal(a.sc.at(desk).created) && info.ID != a.sc.at(desk).id {
			id = info.ID
		}
	}
	if err == nil {
		_, err = a.m.Revoke(ctx, id)
	}
	return err
}

func (a *act) updateUser(ctx context.Context, fn func(*session.Session)) error {
	_, err := a.m.UpdateUser(ctx, "ada", func(s *session.Session) error {
		fn(s)
		return nil
	})
	return err
}
