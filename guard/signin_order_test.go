package guard_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// A log is read from its beginning: what happens to a session stands below the line that it has begun.
func TestADeviceIsReportedAfterItsSession(t *testing.T) {
	for name, hand := range hands {
		var kinds []session.EventKind
		hears := func(o *session.Options) {
			o.Logger, o.MaxPerUser = slog.New(slog.DiscardHandler), 2
			o.OnEvent = func(_ context.Context, e session.Event) { kinds = append(kinds, e.Kind) }
		}
		c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
		d := doorOf(newRigOn(t, memstore.New(memstore.Options{}), c, guard.Options{}, hears))
		d.form = d.SignIn(byUser)(d.m.HandlerFunc(hand))
		cart := d.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("cart", 1) })
		for i, want := range [][]session.EventKind{
			{session.EventCreated, session.EventNewDevice},
			{session.EventRenewed, session.EventNewDevice},
			{session.EventEvicted, session.EventCreated, session.EventNewDevice},
		} {
			v := d.from(i)
			if want[0] == session.EventRenewed {
				v.get(cart, "/cart")
			}
			kinds = nil
			v.try(d, "ann", right)
			if !slices.Equal(kinds, want) {
				t.Errorf("answered %s: the events are %q, want %q", name, kinds, want)
			}
			d.clock.advance(time.Second)
		}
	}
}
