package devicebound

import (
	"errors"
	"net/http"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/dbsc"
)

// The kinds of event that this package reports to the manager's Options.OnEvent.
const (
	EventBound       session.EventKind = "bound"        // a browser has registered a key
	EventProved      session.EventKind = "proved"       // a browser has shown that it has the key
	EventProofFailed session.EventKind = "proof failed" // a registration or a proof was refused; Err says why
	EventSkipped     session.EventKind = "skipped"      // a bound session came without a proof that holds; Err says why
)

// Errors that say why a request is not let through.
var (
	// ErrNobody is returned when nobody is signed in.
	ErrNobody = errors.New("devicebound: nobody is signed in")
	// ErrPending is returned while the browser still has a moment to register a key.
	ErrPending = errors.New("devicebound: the session is being bound to its device")
	// ErrNotBound is returned when the session is not bound to a device.
	ErrNotBound = errors.New("devicebound: the session is not bound to a device")
	// ErrUnproved is returned when a session is bound to a device, and the request does not prove that it comes from
	// there.
	ErrUnproved = errors.New("devicebound: the request does not come with a proof of the device")
)

func (b *Binder) report(r *http.Request, kind session.EventKind, s *session.Session, err error) {
	b.m.Report(r.Context(), session.Event{Kind: kind, ID: s.ID(), User: s.User(), Err: err})
}

// skippedBecause is what the browser says of a refresh that it did not make. Anybody can send that: it is for people to
// read, and decides nothing.
func skippedBecause(r *http.Request) string {
	list, err := dbsc.List(r.Header[dbsc.Skipped])
	if err != nil {
		return ""
	}
	for _, m := range list {
		switch m.Value {
		case dbsc.Token("unreachable"), dbsc.Token("server_error"), dbsc.Token("quota_exceeded"):
			return "; the browser says " + string(m.Value.(dbsc.Token))
		}
	}
	return ""
}
