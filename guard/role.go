package guard

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// Roles and Permissions are what the user of a session may do, as far as the session itself keeps it. Set them after
// Login. They are not part of Session.All.
//
// A change reaches all devices of a user at once through Manager.UpdateUser:
//
//	sessions.UpdateUser(ctx, "ada", func(s *session.Session) error {
//		guard.Roles.Set(s, []string{"editor"})
//		return nil
//	})
//
// A sign-in that runs at the same time may have read the old roles already, and store them afterwards. If that matters,
// look roles up with Options.Roles; or save the session after Login, and read and set the roles within Session.Atomic.
// If the store cannot list sessions, as with cookiestore, Options.Roles is the only way.
const (
	Roles       = session.Key[[]string](envelope.OwnPrefix + "roles")
	Permissions = session.Key[[]string](envelope.OwnPrefix + "permissions")
)

// Lookup returns what the user of a session has. It is called for every request that it guards, and only if somebody is
// signed in; what it returns is valid for that request alone. On an error, the manager's Options.OnError answers.
type Lookup func(*http.Request, *session.Session) ([]string, error)

// Role lets users through who have at least one of the roles, and nobody if none are given. Others get 403. People who
// are not signed in get the answer of User.
func (g *Guard) Role(anyOf ...string) func(http.Handler) http.Handler {
	has := g.lookup(g.opts.Roles, Roles)
	wanted := slices.Clone(anyOf)
	return g.having(has, NoRole, func(have []string) bool {
		return slices.ContainsFunc(wanted, func(role string) bool { return slices.Contains(have, role) })
	})
}

// Permission lets users through who have all of the permissions, and nobody if none are given. Others get 403. People
// who are not signed in get the answer of User.
func (g *Guard) Permission(allOf ...string) func(http.Handler) http.Handler {
	has := g.lookup(g.opts.Permissions, Permissions)
	wanted := slices.Clone(allOf)
	return g.having(has, NoPermission, func(have []string) bool {
		return len(wanted) > 0 && !slices.ContainsFunc(wanted, func(p string) bool { return !slices.Contains(have, p) })
	})
}

// lookup reads the key when the application has no function.
func (g *Guard) lookup(own Lookup, key session.Key[[]string]) Lookup {
	if own != nil {
		return own
	}
	return func(_ *http.Request, s *session.Session) ([]string, error) { return key.Or(s, nil), nil }
}

func (g *Guard) having(has Lookup, why Reason, enough func([]string) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return g.check(next, func(r *http.Request, s *session.Session) (Refusal, error) {
			if no, _ := g.signedIn(r, s); no.Status != 0 {
				return no, nil
			}
			have, err := has(r, s)
			if err != nil {
				return Refusal{}, fmt.Errorf("guard: look up the %ss: %w", why, err)
			}
			if enough(have) {
				return Refusal{}, nil
			}
			return Refusal{Reason: why, Status: http.StatusForbidden, Text: "You are not allowed to do this."}, nil
		})
	}
}
