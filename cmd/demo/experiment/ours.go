package experiment

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/guard"
)

// renewEvery is how often the experiments give a session a new id, and renewGrace how long the old one leads to it.
const (
	renewEvery = 15 * time.Minute
	renewGrace = 30 * time.Second
)

// What a session holds. Release 2 has another type for the cart.
const (
	clicks  = session.Key[int]("clicks")
	reading = session.Key[string]("page")
	cartOf1 = session.Key[counts]("cart")
	cartOf2 = session.Key[[]line]("cart")
)

// ours keeps sessions with this library.
type ours struct {
	sessions *session.Manager
	release  atomic.Int32
	binder   *devicebound.Binder // nil: sessions are not bound to devices
}

func newOurs(store trace.Backend, now func() time.Time) (*ours, error) {
	m, err := session.New(store, session.Options{
		Secrets:    []session.Secret{session.NewSecret()},
		Cookie:     session.Cookie{Name: cookieName, Insecure: true}, // plain HTTP within this machine
		RenewEvery: renewEvery, RenewGrace: renewGrace,
		SweepEvery: session.Never,
		Now:        now,
		Logger:     slog.New(slog.DiscardHandler), // what goes wrong here is meant to
		OnEvent: func(ctx context.Context, e session.Event) {
			trace.From(ctx).Event(string(e.Kind))
		},
	})
	return &ours{sessions: m}, err
}

func (o *ours) serve(w http.ResponseWriter, r *http.Request, p page) {
	site := o.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		trace.From(r.Context()).Follow(s.ID)
		answer(w, p(&visitOfOurs{o, s, r.Context()}))
	})
	if o.binder != nil {
		site = o.binder.Middleware(site)
	}
	site.ServeHTTP(w, r)
}

// boundFor is how long a proof holds.
const boundFor = 10 * time.Minute

// bind binds sessions to the devices that can.
func (o *ours) bind() (err error) {
	o.binder, err = devicebound.New(o.sessions, devicebound.Options{Policy: devicebound.Enforce, Lifetime: boundFor})
	return err
}

// visitOfOurs is a request with a session. Nothing is saved by hand: the middleware does that.
type visitOfOurs struct {
	way *ours
	s   *session.Session
	ctx context.Context // of the request
}

func (v *visitOfOurs) user() string       { return v.s.User() }
func (v *visitOfOurs) signIn(name string) { v.s.Login(name) }
func (v *visitOfOurs) signOut()           { v.s.Logout() }
func (v *visitOfOurs) renew()             {} // by itself, every renewEvery
func (v *visitOfOurs) clicks() int        { return clicks.Or(v.s, 0) }
func (v *visitOfOurs) click()             { clicks.Update(v.s, func(n int) int { return n + 1 }) }
func (v *visitOfOurs) read(title string)  { reading.Set(v.s, title) }
func (v *visitOfOurs) fill(c counts)      { cartOf1.Set(v.s, c) }

func (v *visitOfOurs) cart() string {
	var err error
	if v.way.release.Load() == 2 {
		_, err = cartOf2.Lookup(v.s)
	} else {
		_, err = cartOf1.Lookup(v.s)
	}
	if err != nil {
		return "an empty cart"
	}
	return "the cart"
}

func (v *visitOfOurs) devices() (names []string, err error) {
	infos, err := v.way.sessions.Sessions(v.ctx, v.user())
	for _, info := range infos {
		names = append(names, guard.Device(info.UserAgent))
	}
	return names, err
}

// endDevice ends the session of the user on a device with this name.
func (v *visitOfOurs) endDevice(name string) error {
	infos, err := v.way.sessions.Sessions(v.ctx, v.user())
	for _, info := range infos {
		if err == nil && guard.Device(info.UserAgent) == name {
			_, err = v.way.sessions.RevokeOwn(v.ctx, v.user(), info.ID)
		}
	}
	return err
}
