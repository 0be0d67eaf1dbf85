package guard_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

var errBroke = errors.New("the connection broke")

// brittle is a store that takes no new records while it is broken.
type brittle struct {
	*memstore.Store
	broken atomic.Bool
}

func (b *brittle) Save(ctx context.Context, rec *session.Record) error {
	if b.broken.Load() {
		return errBroke
	}
	return b.Store.Save(ctx, rec)
}

func (b *brittle) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if b.broken.Load() {
		return errBroke
	}
	return b.Store.SaveWithin(ctx, rec, limit)
}

// porch is a door that keeps the events of new devices, on a store that may break.
type porch struct {
	*door
	store *brittle
	told  []session.Event
}

func newPorch(t *testing.T, change ...func(*session.Options)) *porch {
	t.Helper()
	store := &brittle{Store: memstore.New(memstore.Options{})}
	return newPorchOn(t, store, store, change...)
}

// newPorchOn is newPorch on a store that keeps something in the one that may break.
func newPorchOn(t *testing.T, on session.Store, store *brittle, change ...func(*session.Options)) *porch {
	t.Helper()
	p := &porch{store: store}
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	hears := func(o *session.Options) {
		o.Logger = slog.New(slog.DiscardHandler)
		o.OnEvent = func(_ context.Context, e session.Event) {
			if e.Kind == session.EventNewDevice {
				p.told = append(p.told, e)
			}
		}
	}
	p.door = doorOf(newRigOn(t, on, c, guard.Options{}, append(change, hears)...))
	return p
}

// hands are the ways in which the handler of a form answers a sign-in.
var hands = map[string]func(http.ResponseWriter, *http.Request, *session.Session){
	"with nothing": func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ann") },
	"with a page": func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ann")
		_, _ = w.Write([]byte("welcome"))
	},
	"after a save": func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Login("ann")
		if err := s.Save(r.Context()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	},
	"within Atomic": func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := s.Atomic(r.Context(), func(s *session.Session) error { s.Login("ann"); return nil }); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	},
}

// Nobody gets a mail of a sign-in that has not happened.
func TestADeviceIsReportedWhenTheSignInIsStored(t *testing.T) {
	for name, hand := range hands {
		for _, nested := range []bool{false, true} {
			p := newPorch(t)
			p.form = p.SignIn(byUser)(p.m.HandlerFunc(hand))
			if nested {
				p.form = p.m.Middleware(p.form)
			}
			v := p.from(1)
			p.store.broken.Store(true)
			if w := v.try(p.door, "ann", right); w.Code != http.StatusServiceUnavailable || len(p.told) != 0 {
				t.Errorf("answered %s: status %d and %d events, want 503 and none", name, w.Code, len(p.told))
			}
			p.store.broken.Store(false)
			if w := v.try(p.door, "ann", right); w.Code != http.StatusOK || len(p.told) != 1 {
				t.Errorf("answered %s: status %d and %d events, want 200 and one", name, w.Code, len(p.told))
			}
			infos, err := p.m.Sessions(t.Context(), "ann")
			if err != nil || len(infos) != 1 || len(p.told) == 1 && p.told[0].ID != infos[0].ID {
				t.Errorf("answered %s: sessions %v, %v, want the one of the event", name, infos, err)
			}
		}
	}
}

// Whoever is turned away because of a limit of sessions has not signed in.
func TestASignInAboveALimitReportsNoDevice(t *testing.T) {
	p := newPorch(t, func(o *session.Options) { o.MaxPerUser, o.Overflow = 1, session.RefuseNew })
	p.from(1).try(p.door, "ann", right)
	if w := p.from(2).try(p.door, "ann", right); w.Code != http.StatusForbidden || len(p.told) != 1 {
		t.Errorf("status %d and %d events, want 403 and that of the first device alone", w.Code, len(p.told))
	}
}

// The handler shows a page of its own then, for which it drops the sign-in that was refused.
func TestASignInThatIsDroppedReportsNoDevice(t *testing.T) {
	p := newPorch(t, func(o *session.Options) { o.MaxPerUser, o.Overflow = 1, session.RefuseNew })
	p.from(1).try(p.door, "ann", right)
	p.form = p.SignIn(byUser)(p.m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Login("ann")
		if err := s.Save(r.Context()); !errors.Is(err, session.ErrTooMany) {
			t.Errorf("Save = %v, want ErrTooMany", err)
		}
		if err := s.Reload(r.Context()); err != nil {
			t.Error(err)
		}
		s.Flash("note", "too many")
	}))
	w := p.from(2).try(p.door, "ann", right)
	if w.Code != http.StatusOK || len(p.told) != 1 || sentDevice(t, w) != nil {
		t.Errorf("status %d, %d events, cookies %q, want 200 and that of the first device alone", w.Code,
			len(p.told), w.Result().Cookies())
	}
}

// A Logout takes back what was proved, and another user may sign in after it.
func TestOnlyWhoIsSignedInAtTheEndHasANewDevice(t *testing.T) {
	for _, c := range []struct {
		name string
		does func(*session.Session)
		want []string
	}{
		{"out again", func(s *session.Session) { s.Login("ann"); s.Logout() }, nil},
		{"as another", func(s *session.Session) { s.Login("bob"); s.Login("ann") }, []string{"ann"}},
		{"out and in", func(s *session.Session) { s.Login("bob"); s.Logout(); s.Login("ann") }, []string{"ann"}},
		{"with a factor", func(s *session.Session) { s.Login("ann"); s.Confirm("otp") }, []string{"ann"}},
	} {
		p := newPorch(t)
		p.form = p.SignIn(byUser)(p.m.HandlerFunc(
			func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { c.does(s) }))
		p.from(1).try(p.door, "ann", right)
		var users []string
		for _, e := range p.told {
			users = append(users, e.User)
		}
		if !slices.Equal(users, c.want) {
			t.Errorf("%s: told of %q, want %q", c.name, users, c.want)
		}
	}
}

// A handler that panics after a Login signs nobody in.
func TestAHandlerThatPanicsReportsNoDevice(t *testing.T) {
	p := newPorch(t)
	signIn := p.SignIn(byUser)(p.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ann")
		panic("on purpose")
	}))
	p.form = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { _ = recover() }()
		signIn.ServeHTTP(w, r)
	})
	p.from(1).try(p.door, "ann", right)
	if len(p.told) != 0 {
		t.Errorf("told of %v, want of nothing", p.told)
	}
}
