package sessiontest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

const day = 24 * time.Hour

var fieldRules = []rule{
	{name: "every field comes back", clause: "Store 10", check: everyField},
	{name: "times come back to the microsecond", clause: "Store 10", check: everyTime},
	{name: "users come back byte for byte", clause: "Store 10", check: everyUser},
}

func everyField(ctx context.Context, e *env) error {
	for i, change := range []func(*session.Record){
		func(r *session.Record) { *r = session.Record{ID: r.ID} },
		func(r *session.Record) { *r = session.Record{ID: r.ID, Data: []byte("x")} },
		func(*session.Record) {},
		func(r *session.Record) { r.User, r.LoginAt = "", time.Time{} },
		func(r *session.Record) {
			r.Kind, r.Successor = session.KindAlias, strings.Repeat("0123456789abcdef", 4)
		},
		func(r *session.Record) { r.Kind, r.Successor = session.KindTombstone, idB },
		func(r *session.Record) { r.Kind = session.KindTombstone },
		func(r *session.Record) { r.Successor = idC }, // of a live record it is the predecessor
		func(r *session.Record) { r.RemoteIP = netip.Addr{} },
		func(r *session.Record) { r.RemoteIP = netip.MustParseAddr("0.0.0.0") },
		func(r *session.Record) { r.RemoteIP = netip.MustParseAddr("255.255.255.255") },
		func(r *session.Record) { r.RemoteIP = netip.MustParseAddr("::") },
		func(r *session.Record) { r.RemoteIP = netip.MustParseAddr("2001:db8:1111:2222:3333:4444:5555:6666") },
		func(r *session.Record) { r.RemoteIP = netip.MustParseAddr("::ffff:192.0.2.1") },
		func(r *session.Record) { r.UserAgent = "" },
		func(r *session.Record) { r.UserAgent = strings.Repeat("ü🍪", 42) + "'\"\\%" },
		func(r *session.Record) { r.Persistent = false },
		func(r *session.Record) { r.ExpiresAt = time.Time{} },
	} {
		if err := e.cameBack(ctx, handle(i), change); err != nil {
			return err
		}
	}
	return nil
}

// cameBack wants a changed sample back, as a new record and as one that takes the place of another.
func (e *env) cameBack(ctx context.Context, id string, change func(*session.Record)) error {
	rec := sample(id)
	change(rec)
	if err := first(e.create(ctx, rec), e.wantStored(ctx, rec), e.replace(ctx, next(id, 1))); err != nil {
		return err
	}
	rec.Version = 2
	return first(e.replace(ctx, rec), e.wantStored(ctx, rec))
}

func everyTime(ctx context.Context, e *env) error {
	east := time.FixedZone("far east", 14*60*60)
	for i, t := range []time.Time{
		{},
		time.Unix(0, 0).UTC(), time.UnixMicro(1).UTC(), time.UnixMicro(-1).UTC(),
		time.Date(2001, 9, 9, 1, 46, 40, 1000, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 999_999_000, time.UTC),
		time.Date(2026, 3, 29, 2, 30, 0, 500_000_000, east), time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC),
		base, base.Add(time.Microsecond), base.Add(999 * time.Nanosecond), base.Add(-time.Nanosecond),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		err := e.cameBack(ctx, handle(i), func(r *session.Record) {
			r.CreatedAt, r.SeenAt, r.LoginAt = t, t.Add(0), t
			if t.IsZero() || t.After(base) { // one that has expired need not be kept
				r.ExpiresAt = t
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func everyUser(ctx context.Context, e *env) error {
	for i, user := range hostileUsers() {
		id := handle(i)
		if err := e.cameBack(ctx, id, func(r *session.Record) { r.User = user }); err != nil {
			return fmt.Errorf("user %q: %w", user, err)
		}
	}
	return nil
}
