package gorillastore

import (
	"net/http"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
)

// ownersName is the name under which a request has its owners. No cookie is ever sent under it.
const ownersName = "coatcheck-gorillastore-owners"

// owners is a store whose session is none: it holds who owns the sessions of a request. So the owners are where gorilla
// keeps the sessions themselves, and a copy of the request that has the one has the other.
type owners struct{}

func (owners) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(owners{}, name)
}

func (owners) New(_ *http.Request, name string) (*sessions.Session, error) {
	return sessions.NewSession(owners{}, name), nil
}

func (owners) Save(*http.Request, http.ResponseWriter, *sessions.Session) error { return nil }

// ownedKey finds what is owned by a session, or by the one of a name. Two stores on a manager have one session.
type ownedKey struct {
	manager *session.Manager
	owner   any
}

// ownedBy may change the request, as gorilla does to keep the sessions of one.
func (st *Store) ownedBy(r *http.Request, owner any) *owned {
	all, _ := owners{}.Get(r, ownersName) // which has no error
	key := ownedKey{st.manager, owner}
	o, ok := all.Values[key].(*owned)
	switch {
	case !ok:
		o = &owned{Store: st}
	case o.Store != st:
		o = &owned{Store: st, kept: o.kept}
	}
	all.Values[key] = o
	return o
}
