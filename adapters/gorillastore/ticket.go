package gorillastore

import (
	"encoding/base64"
	"net/http"

	"github.com/coatcheck/session/internal/sealed"
)

// A ticket says nothing of the gorilla session that it belongs to. So its cookie holds it sealed, for each name with
// another key: in the cookie of another name it opens nothing, and nobody can take it out and show it to the manager.

// purpose keeps the keys of cookies apart from whatever else the manager makes of names.
const purpose = "cookie of gorillastore"

// noTicket is for the manager, which then tells of a cookie that was refused.
const noTicket = "not a ticket"

var encoding = base64.RawURLEncoding.Strict()

// ticketOf returns the ticket of a request. Of two cookies of one name, one is perhaps planted, and neither is
// believed.
func (st *Store) ticketOf(r *http.Request, name string) string {
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 || cookies[0].Value == "" {
		return ""
	}
	if st.isManagers(name) {
		return cookies[0].Value
	}
	return st.unseal(name, cookies[0].Value)
}

func (st *Store) unseal(name, value string) string {
	box, err := encoding.DecodeString(value)
	if err != nil {
		return noTicket
	}
	for _, key := range st.manager.Pseudonyms(purpose, name) {
		if ticket, err := sealed.NewKey(key).Open(nil, box, nil); err == nil {
			return string(ticket)
		}
	}
	return noTicket
}

// cookieValue is what ticketOf makes the ticket of.
func (st *Store) cookieValue(name, ticket string) string {
	if ticket == "" || st.isManagers(name) {
		return ticket
	}
	key := sealed.NewKey(st.manager.Pseudonyms(purpose, name)[0])
	return encoding.EncodeToString(key.Seal(nil, []byte(ticket), nil))
}

// isManagers reports whether the manager reads its own tickets from the cookie of that name. Its pages and those of
// gorilla then share the session.
func (st *Store) isManagers(name string) bool {
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return false
	}
	r.AddCookie(&http.Cookie{Name: name, Value: "x"})
	ticket, err := st.manager.Transport().Read(r)
	return err == nil && ticket == "x"
}
