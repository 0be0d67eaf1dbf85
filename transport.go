package session

import (
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/wire"
)

// Transport carries tickets between the client and the manager. It is used by many requests at once.
type Transport interface {
	// Name is covered by the signature of the tickets, so that two managers refuse each other's.
	Name() string
	// VaryOn is the request header on which responses depend.
	VaryOn() string
	// Read returns the ticket of the request, "" when there is none, and ErrMalformed when there is more than one.
	Read(r *http.Request) (string, error)
	// Write puts the ticket into the header of the response; "" tells the client to forget the one it has. The client
	// should keep it until the time given, or until it closes when that is zero. now is the manager's clock.
	Write(h http.Header, ticket string, until, now time.Time)
}

// Header returns a transport for API clients and mobile apps: the ticket comes in the request header of that name, with
// or without "Bearer " before it, and a new one goes out in the response header of that name, empty after a logout. New
// refuses a name that means something else to whoever passes the message on, such as Cookie or Content-Length.
func Header(name string) Transport { return headerTransport(textproto.CanonicalMIMEHeaderKey(name)) }

// VaryOn is the request header in which the tickets of this manager come, "Cookie" unless Options.Transport says
// another: for middleware that must tell browsers from programs.
func (m *Manager) VaryOn() string { return m.transport.VaryOn() }

type headerTransport string

// taken are the headers by which HTTP itself frames, routes and caches messages, or carries cookies. One that a
// connection ends with reaches nobody behind a proxy.
var taken = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
	"Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "Host", "Expect", "Http2-Settings", "Via",
	"Forwarded",
	"Cookie", "Set-Cookie", "Cache-Control", "Vary", "Expires", "Age", "Date", "Etag", "Last-Modified", "Location",
	"Retry-After", "Range",
}

func (t headerTransport) check() error {
	switch {
	case !wire.IsToken(string(t)):
		return fmt.Errorf("Transport: %q is no name of a header", string(t))
	case slices.Contains(taken, string(t)):
		return fmt.Errorf("Transport: the header %s has another meaning; use Authorization, or a name of your own "+
			"such as X-Session", string(t))
	}
	return nil
}

func (t headerTransport) Name() string   { return "header " + string(t) }
func (t headerTransport) VaryOn() string { return string(t) }

func (t headerTransport) Read(r *http.Request) (string, error) {
	values := r.Header[string(t)]
	if len(values) > 1 {
		return "", ErrMalformed
	}
	if len(values) == 0 {
		return "", nil
	}
	value := strings.TrimSpace(values[0])
	if scheme, rest, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
		value = strings.TrimSpace(rest)
	}
	return value, nil
}

func (t headerTransport) Write(h http.Header, ticket string, _, _ time.Time) {
	h[string(t)] = []string{ticket}
}
