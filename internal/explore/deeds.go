package explore

import (
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

// Where ada is signed in when a scene begins. A stranger has no ticket.
const (
	desk     = "desk"
	phone    = "phone"
	stranger = "stranger"
)

// deed is what a request does: through a handler, through a page of the application, or to the manager without a
// request.
type deed struct {
	name   string
	by     string // who does it; "": the desk
	phone  bool   // it has to do with the phone
	stream bool   // it has loaded the session long before
	do     func(*act)
	page   func(context.Context, *act)
	direct func(context.Context, *act) error

	moves bool   // the data get another id, and the old one is of no use
	ends  string // whose session is ended: of the desk or phone, of all, or of the others, which is not the desk
	signs string // who is signed in
	uses  string // what only one request may have
	tries string // where a password is tried
}

// Whose sessions a deed ends, where it is not one.
const (
	all    = "all"
	others = "others"
)

// mayEnd reports whether a deed ends the session of a device.
func (d deed) mayEnd(device string) bool {
	return d.ends == all || d.ends == device || d.ends == others && device != desk
}

// mayChangeID reports whether a deed leaves another request of that device with a ticket of no use.
func (d deed) mayChangeID(device string) bool { return d.mayEnd(device) || d.moves && d.by == device }

const (
	counter = session.Key[int]("n")
	role    = session.Key[string]("role")
	owner   = session.Key[string]("device") // stays with the data, whatever id they get
)

func deeds() []deed {
	list := append(deedsOfHandlers(), deedsOfSaves()...)
	list = append(list, deedsOfManagers()...)
	list = append(list, deedsOfGuards()...)
	list = append(list, deedsOfStrangers()...)
	list = append(list, deedsOfFactors()...)
	list = append(list, deedsOfChallenges()...)
	for i := range list {
		if list[i].by == "" {
			list[i].by = desk
		}
	}
	return list
}

// named returns the deeds with these names.
func named(names ...string) (list []deed) {
	all := deeds()
	for _, name := range names {
		for _, d := range all {
			if d.name == name {
				list = append(list, d)
			}
		}
	}
	return list
}

func deedsThatBreakMost() []deed {
	return named("load", "set", "regenerate", "login", "logout", "revoke others", "list and revoke one", "update user")
}

func deedsOfFailures() []deed {
	return append(named("save, then set", "save, then logout"), deedsThatBreakMost()...)
}

func deedsOfMoves() []deed {
	return named("set", "regenerate", "list and revoke one", "update user")
}

func deedsThatEnd() []deed {
	return named("set", "regenerate", "login", "login as bob", "logout", "revoke", "revoke for", "revoke all for",
		"list and revoke one")
}

func deedsAroundFactors() []deed {
	return named("login", "login as bob", "logout", "revoke for", "confirm", "once", "answer")
}

func deedsThatTake() []deed {
	return named("take", "take, then logout", "login, then take", "take and login", "revoke")
}

func deedsOfVisitors() []deed {
	return named("guess", "sign in by form", "known device: guess", "known device: sign in", "limited stranger",
		"limited account", "answer as a stranger")
}

func deedsOfALimit() []deed {
	return named(
		"load", "set", "regenerate", "login", "atomic login", "sign in", "logout", "phone: load", "phone: login",
		"revoke others", "revoke all for",
	)
}

func deedsThatTakeRoom() []deed { return named("load", "regenerate", "login", "sign in") }

func deedsOfABound() []deed {
	return named("load", "set", "regenerate", "login", "sign in", "visit", "logout", "phone: load", "limited user")
}

// deedsOfHandlers are what a handler does and the middleware commits.
func deedsOfHandlers() []deed {
	return []deed{
		{name: "load", do: func(*act) {}},
		{name: "set", do: func(a *act) { a.set("k") }},
		{name: "update", do: func(a *act) { a.update(a.s) }},
		{name: "append", do: func(a *act) { a.append() }},
		{name: "flash", do: func(a *act) { a.s.Flash("notice", "hello") }},
		{name: "regenerate", moves: true, do: func(a *act) { a.s.Regenerate() }},
		{name: "login", moves: true, signs: "ada", do: func(a *act) { a.s.Login("ada") }},
		{name: "login as bob", ends: desk, signs: "bob", do: func(a *act) { a.s.Login("bob") }},
		{name: "logout", ends: desk, do: func(a *act) { a.s.Logout() }},
		{name: "invalidate", ends: desk, do: func(a *act) { a.s.Invalidate() }},
		{name: "phone: load", by: phone, do: func(*act) {}},
		{name: "phone: regenerate", by: phone, moves: true, do: func(a *act) { a.s.Regenerate() }},
		{name: "phone: login", by: phone, moves: true, signs: "ada", do: func(a *act) { a.s.Login("ada") }},
		{name: "sign in", by: stranger, signs: "ada", do: func(a *act) { a.begin(a.s) }},
		{name: "visit", by: stranger, do: func(a *act) { a.s.Set("cart", 1) }},
	}
}

// begin signs ada in where nobody was.
func (a *act) begin(s *session.Session) {
	s.Login("ada")
	owner.Set(s, fmt.Sprint("new ", a.index))
}
