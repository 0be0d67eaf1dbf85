package integration_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

const (
	forGood   = 0
	gone      = -1
	beyondEnd = 15 * time.Minute // for how much longer than a record's end the server keeps it at most
)

// An hour passes between a session's beginning and what is done to it, for the manager and for the server. From then on
// the server has to keep what is under the id until the end of what it is for, and not for ever.
func TestRedisKeepsARecordUntilItsEndAndNotForEver(t *testing.T) {
	brief := func(o *session.Options) { o.IdleTimeout, o.RenewGrace = 2*time.Hour, time.Minute }
	endless := func(o *session.Options) { o.IdleTimeout, o.Lifetime = session.Never, session.Never }
	for _, row := range []struct {
		name  string
		site  func(*session.Options)
		deed  func(v *victim, b *guest, id string) error
		lasts time.Duration
	}{
		{"a session that began", brief, nil, time.Hour},
		{"a session that was used", brief, visits(look), 2 * time.Hour},
		{"a session that was changed", brief, visits(func(s *session.Session) { s.Set("cart", "fuller") }),
			2 * time.Hour},
		{"a session that is to end sooner", brief, visits(toEndIn(time.Minute)), time.Minute},
		{"a session without an end", endless, nil, forGood},
		{"a session that has an end now", endless, visits(toEndIn(time.Hour)), time.Hour},
		{"a session that has no end any more", brief, visits(toEndIn(session.Never)), 30*24*time.Hour - time.Hour},
		{"an id before a sign-in", brief, visits(login), time.Minute},
		{"an id that was renewed", brief, visits((*session.Session).Regenerate), time.Minute},
		{"a logout", brief, visits((*session.Session).Logout), time.Minute},
		{"a logout from a session without an end", endless, visits((*session.Session).Logout), 30 * time.Second},
		{"a revocation", brief, revoke, gone},
		{"a revocation with a reason", brief, revokeFor, time.Hour},
		{"a revocation with a reason, of a session without an end", endless, revokeFor, 24 * time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
			prefix := newPrefix()
			v := newVictim(t, redisStore(t, client, redisstore.Options{Prefix: prefix}), row.site)
			b := v.guest()
			b.visit(func(s *session.Session) { s.Set("cart", "full") })
			id := v.records()[0].ID
			v.advance(time.Hour)
			elapse(t, client, prefix, time.Hour)
			if row.deed != nil {
				if err := row.deed(v, b, id); err != nil {
					t.Fatal(err)
				}
			}
			v.lasts(id, row.lasts)
		})
	}
}

// elapse leaves the server as much less time for all that it will drop.
func elapse(t *testing.T, client rueidis.Client, prefix string, d time.Duration) {
	t.Helper()
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern(prefix+"*").Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		left, err := client.Do(t.Context(), client.B().Pttl().Key(key).Build()).AsInt64()
		if err == nil && left > 0 {
			sooner := client.B().Pexpire().Key(key).Milliseconds(left - d.Milliseconds()).Build()
			err = client.Do(t.Context(), sooner).Error()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func visits(fn func(*session.Session)) func(*victim, *guest, string) error {
	return func(_ *victim, b *guest, _ string) error {
		b.visit(fn)
		return nil
	}
}

func toEndIn(d time.Duration) func(*session.Session) {
	return func(s *session.Session) { s.SetIdleTimeout(d) }
}

func revoke(v *victim, _ *guest, id string) error {
	_, err := v.Revoke(v.t.Context(), id)
	return err
}

func revokeFor(v *victim, _ *guest, id string) error {
	_, err := v.RevokeFor(v.t.Context(), session.ReasonOperator, id)
	return err
}

// lasts fails the test unless the server keeps what is under an id for as long as that, and a little longer.
func (v *victim) lasts(id string, want time.Duration) {
	v.t.Helper()
	left, err := v.store.(*redisstore.Store).Remaining(v.t.Context(), id)
	switch {
	case want == gone && errors.Is(err, session.ErrNotFound):
	case want == gone || err != nil:
		v.t.Errorf("PTTL = %v, %v, want nothing there", left, err)
	case want == forGood && left >= 0, want != forGood && (left < want || left > want+beyondEnd+time.Millisecond):
		v.t.Errorf("PTTL = %v, want %v and at most %v more", left, want, beyondEnd)
	}
}

// A machine may begin with a clock that is ahead, and serve people before it is put right. Whoever goes on to read
// then has a session that was last seen in the future, until that is now.
func TestASessionThatWasSeenInTheFutureStaysInRedis(t *testing.T) {
	client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
	prefix := newPrefix()
	now := time.Now().Add(2 * time.Hour)
	m := node(t, redisStore(t, client, redisstore.Options{Prefix: prefix}), func(o *session.Options) {
		o.IdleTimeout, o.Now = 30*time.Minute, func() time.Time { return now }
	})
	b := signedIn(t, m, "ada")
	now = now.Add(-2 * time.Hour)
	for minutes := 10; minutes <= 180; minutes += 10 {
		now = now.Add(10 * time.Minute)
		elapse(t, client, prefix, 10*time.Minute)
		b.with(m, func(s *session.Session) {
			if s.User() != "ada" {
				t.Errorf("%d minutes after the clock was put right the session is that of %q", minutes, s.User())
			}
		})
	}
}
