package gorillastore

import (
	"reflect"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
)

// kept is what belongs to a gorilla session and has no place in it.
type kept struct {
	session *session.Session
	asked   string      // the ticket of the request
	ticket  string      // that the client has of a live session
	expires time.Time   // the end of the session as the client's cookie has it
	nobodys string      // its id, if it was loaded with nobody signed in
	values  map[any]any // as they were loaded or last saved, and shared with nobody
	failed  error       // to load
	sent    bool        // the middleware sends the ticket
}

// read copies what the session holds into that of gorilla. A value whose type this program does not know is left out,
// and stays where it is.
func (k *kept) read(s *sessions.Session) {
	s.ID, s.IsNew, k.ticket = k.session.ID(), k.session.IsNew(), k.session.Token()
	if k.session.User() == "" {
		k.nobodys = s.ID
	}
	k.values = decodeAll(k.session.All())
	for key, v := range decodeAll(k.session.All()) { // anew, for a handler may change what is in it
		s.Values[key] = v
	}
}

// isNobodys reports whether the session still is the one that was loaded with nobody signed in.
func (k *kept) isNobodys() bool {
	return k.session.User() == "" && k.nobodys != "" && k.nobodys == k.session.ID()
}

// identify signs in or out when the values name another user than before. A user whom they do not name, because
// another page has signed them in, is none of their business, and neither is a Logout that went past them.
func (k *kept) identify(before, user string) error {
	was := k.session.User()
	if user == before {
		return nil
	}
	switch user {
	case was:
		return nil
	case "":
		k.session.Logout()
	default:
		if err := k.session.TryLogin(user); err != nil {
			return err
		}
	}
	if was != "" { // then nothing is left of what was there
		k.values = nil
	}
	return nil
}

// write does to the session n what was done to the values, and nothing to those that are as they were. It returns them
// as the next request has them.
func (k *kept) write(n *session.Session, values, encoded map[any]any) map[any]any {
	for key := range k.values {
		if _, there := values[key]; !there {
			n.Remove(pathOf(key))
		}
	}
	now := make(map[any]any, len(values))
	for key, v := range values {
		old, there := k.values[key]
		switch was, is := lists(old, v); {
		case there && reflect.DeepEqual(old, v):
		case len(was) > 0 && len(is) > len(was) && reflect.DeepEqual(is[:len(was)], was): // flashes, for example
			n.Append(pathOf(key), encoded[key].([]any)[len(was):]...)
		default:
			n.Set(pathOf(key), encoded[key])
		}
		now[key], _ = decode(encoded[key])
	}
	return now
}

func lists(a, b any) (was, is []any) {
	was, _ = a.([]any)
	is, _ = b.([]any)
	return was, is
}
