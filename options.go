package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// What Options leave at zero.
const (
	defaultIdleTimeout = 24 * time.Hour
	defaultLifetime    = 30 * 24 * time.Hour
	defaultRenewGrace  = 30 * time.Second
	defaultSweepEvery  = 5 * time.Minute
	defaultMaxBytes    = 1 << 20
	maxWatchEvery      = 5 * time.Second
)

// Options configure a Manager. Only Secrets or SecretSource is required; the zero value of everything else is the safe
// choice. New copies what it keeps, so changing the struct later has no effect.
type Options struct {
	// Secrets sign tickets and records. The first one signs, and all of them verify. To replace a secret, put a new one
	// in front, and remove the old one when the longest session is over; on a manager that takes sessions over, see
	// [Manager.AllowTakeOver]. Whatever was signed with a secret that a manager does not know is a forgery to it. So if
	// several managers share their sessions, as on several nodes, it takes two rounds: put the new secret behind the
	// one in use in all of them, and only then in front of it.
	Secrets []Secret
	// SecretSource returns the secrets in place of Secrets. It is called again every minute, so you can replace a
	// secret without a restart, and in one round: put a new one in front, and remove the old one as with Secrets. A new
	// first secret verifies at once and signs about four minutes later. Every node knows it by then, if their sources
	// return it within two minutes of each other. A manager that has just started signs with an older secret for these
	// four minutes, too, so count the longest session from the last start. A source has 30 seconds to answer. New calls
	// it first, and fails if it fails. Later, if it fails or returns weak secrets, those in use stay, and the log has
	// an error. Close stops these calls.
	SecretSource func(context.Context) ([]Secret, error)
	Cookie       Cookie

	// IdleTimeout ends a session that nobody has used for this long. 0: 24 hours. Never: no idle timeout. It must be at
	// least a second.
	IdleTimeout time.Duration
	// Lifetime ends a session this long after its first save or last Login, however much it is used. 0: 30 days. Never:
	// no absolute lifetime. It must be at least a second.
	Lifetime time.Duration
	// RenewEvery gives a session a new id once its id is older than this. 0: only Login and Regenerate change the id.
	RenewEvery time.Duration
	// RenewGrace is how long the ticket of a renewed id still opens its session, for requests that were under way. 0:
	// 30 seconds.
	RenewGrace time.Duration
	// TouchEvery limits how often a session that is only read is marked as seen in the store. 0: a twentieth of
	// IdleTimeout, at most a minute. -1: at every request, and during a long one as often as with 0. It must be below
	// IdleTimeout.
	TouchEvery time.Duration
	// SweepEvery is the time between two sweeps of expired records, give or take a tenth. 0: 5 minutes. Never: no
	// sweeper runs; call Manager.Sweep.
	SweepEvery time.Duration

	// WatchEvery is how often Session.Done asks the store for sessions that ended on another node. 0: 5 seconds, which
	// is also the most. A store that is a Watcher reports them at once. Otherwise, each session that somebody waits for
	// is looked up, one after the other: a thousand streams on a node are two hundred loads per second.
	WatchEvery time.Duration

	// MaxPerUser limits the sessions of one user, exactly, even if many logins happen at once. 0: no limit. Overflow
	// says what happens above it. New refuses it with ErrNotSupported if the store is not a Limiter.
	MaxPerUser int
	Overflow   Overflow
	// MaxBytes limits the encoded data of one session, with its keys and the paths of flash data. 0: 1 MiB.
	MaxBytes int

	// Seal encrypts the data in the store with XAES-256-GCM. Without it the data can be read there, but not changed.
	Seal bool
	// RequireSealed refuses records that are not sealed, and implies Seal. Without it, records that were stored before
	// Seal was set can still be read.
	RequireSealed bool
	// Codec encodes the values. nil: JSON.
	Codec Codec

	// ClearOnLogout sends Clear-Site-Data: "cookies", "storage" with the response that ends a session, so that the
	// browser forgets what the site has stored there: its other cookies too, such as the one by which guard.SignIn
	// knows a device, those that the same response sets, and those of all hosts below the same registered domain.
	// Browsers clear all of them or none. A response with a new ticket, as after Login, is left alone, and so is every
	// one if Cookie.Insecure is set.
	ClearOnLogout bool

	// Transport carries the ticket. nil: the cookie. See Header, Bearer and Transports.
	Transport Transport
	// Skip says which requests have no session. nil: none.
	Skip func(*http.Request) bool
	// ClientIP finds the address of the visitor. nil: the address of the peer, never a header by itself. See
	// ClientIPFrom.
	ClientIP func(*http.Request) netip.Addr

	// OnError answers a request whose session could not be loaded or stored. It gets the request as the handler had it,
	// and is not called if the client hung up before. If it writes nothing, the status that fits the error is sent. No
	// lock is held during the call.
	OnError func(http.ResponseWriter, *http.Request, error)
	// OnEvent is called with what happens to sessions. No lock is held during the call, which delays the request. What
	// happens during a load is reported after the load, to the log as well, with a context that outlives the load's.
	OnEvent func(context.Context, Event)
	// Logger gets failures at level Error or Warn. Requests whose session ended meanwhile, or whose user has too many
	// sessions, are logged at Info, and requests whose client hung up at Debug. So are events, except EventReused and
	// EventLate (Warn) and EventRefused (Info). nil: slog.Default. To log nothing, use slog.New(slog.DiscardHandler).
	Logger *slog.Logger
	// Now is the clock. nil: time.Now.
	Now func() time.Time
}

// Overflow says what a login above Options.MaxPerUser does.
type Overflow uint8

const (
	EvictOldest Overflow = iota // ends the user's oldest session
	RefuseNew                   // fails with ErrTooMany
)

// Codec encodes and decodes values. Unmarshal must accept a pointer to any for the untyped Session.Get and for dotted
// paths; a codec that cannot do so serves typed keys only. Into an any it should decode whole numbers exactly, as
// [encoding/json.Number] or int64: a change at a dotted path decodes all of its key and encodes it again, and as
// float64 a number above 2^53 would come back as another one.
type Codec interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(data []byte, v any) error
}

// resolve checks the options and fills in what was left at zero.
func (o Options) resolve() (Options, error) {
	filled := o.withDefaults()
	var unused error
	if filled.IdleTimeout > 0 && filled.TouchEvery >= filled.IdleTimeout {
		unused = fmt.Errorf("TouchEvery: %v is not below IdleTimeout, %v: sessions in use would time out",
			filled.TouchEvery, filled.IdleTimeout)
	}
	return filled, errors.Join(o.check(), unused)
}

// check finds what is wrong with each option by itself.
func (o Options) check() error {
	checks := []error{
		o.checkSource(),
		o.Cookie.check(),
		life.CheckClock("IdleTimeout", o.IdleTimeout),
		life.CheckClock("Lifetime", o.Lifetime),
		life.NeverOrPositive("SweepEvery", o.SweepEvery, "no sweeper"),
		o.checkTouch(),
		notNegative("RenewEvery", o.RenewEvery),
		notNegative("RenewGrace", o.RenewGrace),
		notNegative("WatchEvery", o.WatchEvery),
		life.CheckUnit("WatchEvery", o.WatchEvery),
		notNegative("MaxPerUser", o.MaxPerUser),
		notNegative("MaxBytes", o.MaxBytes),
	}
	if t, ok := o.Transport.(interface{ check() error }); ok {
		checks = append(checks, t.check())
	}
	if o.WatchEvery > maxWatchEvery {
		checks = append(checks, fmt.Errorf("WatchEvery: %v is more than %v; use less", o.WatchEvery, maxWatchEvery))
	}
	if o.Overflow > RefuseNew {
		checks = append(checks, errors.New("Overflow: unknown value; use EvictOldest or RefuseNew"))
	}
	return errors.Join(checks...)
}

func (o Options) withDefaults() Options {
	o.Secrets = cloneSecrets(o.Secrets)
	o.Seal = o.Seal || o.RequireSealed
	o.Cookie = o.Cookie.resolve()
	o.IdleTimeout = orDefault(o.IdleTimeout, defaultIdleTimeout)
	o.Lifetime = orDefault(o.Lifetime, defaultLifetime)
	o.RenewGrace = orDefault(o.RenewGrace, defaultRenewGrace)
	o.SweepEvery = orDefault(o.SweepEvery, defaultSweepEvery)
	o.MaxBytes = orDefault(o.MaxBytes, defaultMaxBytes)
	o.WatchEvery = orDefault(o.WatchEvery, maxWatchEvery)
	if o.TouchEvery == 0 {
		o.TouchEvery = life.DefaultTouch(o.IdleTimeout)
	}
	if o.Logger == nil {
		o.Logger = slog.New(life.DefaultLog{})
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Codec == nil {
		o.Codec = data.JSON{}
	}
	if o.ClientIP == nil {
		o.ClientIP = wire.Peer
	}
	return o
}

// checkTouch takes -1 for every request. The name Never would say the opposite, so that it is not in the text.
func (o Options) checkTouch() error {
	if o.TouchEvery < -1 {
		return fmt.Errorf("TouchEvery: %v is negative; use -1 for every request", o.TouchEvery)
	}
	return nil
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

func notNegative[T int | time.Duration](name string, v T) error {
	if v < 0 {
		return fmt.Errorf("%s: %v is negative; use 0 for the default", name, v)
	}
	return nil
}

// isNil also finds a nil pointer in an interface, which would only show at the first request.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// Never switches a clock off: as Options.IdleTimeout, Lifetime and SweepEvery, and with SetIdleTimeout, SetLifetime and
// Remember. Any other negative duration is refused there, because it is usually a mistake, such as time.Until of a time
// in the past.
const Never time.Duration = -1

// SkipHeader returns a predicate for Options.Skip: requests that have this header have no session if its value is the
// one given; "*" means any value. Any client can send a header: use one that your proxy sets or removes.
func SkipHeader(name, value string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		values := r.Header.Values(name)
		return slices.Contains(values, value) || value == "*" && len(values) > 0
	}
}

// ClientIPFrom returns a function for Options.ClientIP that trusts proxies at these addresses. It goes through
// X-Forwarded-For or Forwarded (RFC 7239) from the right, past trusted proxies, to the first address that is not one.
// An entry that is not an address ends the walk at the proxy that wrote it. If both headers are there and differ, a
// client may have made up one of them, so the result is the address of the peer.
func ClientIPFrom(trusted ...netip.Prefix) func(*http.Request) netip.Addr {
	return wire.Proxies(slices.Clone(trusted)).Client
}
