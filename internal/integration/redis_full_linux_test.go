package integration_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/redisstore"
)

// fillRedis takes all the memory that a server may use.
func fillRedis(t *testing.T, r *servers.Redis, client rueidis.Client) {
	t.Helper()
	told(t, r, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	told(t, r, "CONFIG", "SET", "maxmemory", strconv.Itoa(redisInfo(t, r, "memory", "used_memory")+2<<20))
	for i := 0; ; i++ {
		set := client.B().Set().Key("other" + strconv.Itoa(i)).Value(strings.Repeat("x", 1000)).Build()
		if err := client.Do(t.Context(), set).Error(); err != nil {
			if !strings.HasPrefix(err.Error(), "OOM") {
				t.Fatal(err)
			}
			return
		}
	}
}

// A server without room stores nothing, and whoever signs out is signed out.
func TestASessionEndsOnARedisThatIsFull(t *testing.T) {
	r := ownRedis(t)
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
	store := redisStore(t, client, redisstore.Options{})
	m, other := node(t, store), node(t, store)
	for name, end := range map[string]func(*browser, string) error{
		"Logout": func(b *browser, _ string) error {
			if resp := b.with(m, func(s *session.Session) { s.Logout() }); resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			return nil
		},
		"RevokeUser": func(_ *browser, user string) error {
			if n, err := m.RevokeUser(t.Context(), user); n != 1 || err != nil {
				return errors.Join(err, errors.New(strconv.Itoa(n)+" sessions ended"))
			}
			return nil
		},
	} {
		b, thief := signedIn(t, m, name), newBrowser(t)
		thief.jar.SetCookies(mustURL(t), b.jar.Cookies(mustURL(t)))
		fillRedis(t, r, client)
		resp := newBrowser(t).with(m, func(s *session.Session) { s.Login("somebody") })
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a login on a full server is answered %d, want 503", resp.StatusCode)
		}
		if err := end(b, name); err != nil {
			t.Errorf("%s on a full server: %v", name, err)
		}
		thief.with(other, func(s *session.Session) {
			if s.User() != "" {
				t.Errorf("after %s, the stolen ticket is that of %q", name, s.User())
			}
		})
		if infos, err := other.Sessions(t.Context(), name); err != nil || len(infos) > 0 {
			t.Errorf("after %s the user has %v, %v", name, infos, err)
		}
		told(t, r, "CONFIG", "SET", "maxmemory", "0")
	}
}

// What ends a session takes no room, with a record of any size, and as often as there are sessions; nor does a sweep.
func TestAThousandSessionsEndOnARedisThatIsFull(t *testing.T) {
	r := ownRedis(t)
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
	store := redisStore(t, client, redisstore.Options{})
	const n = 1000
	end := time.Now().Add(time.Hour)
	for i := range n {
		user := "user " + strconv.Itoa(i%9)
		save(t, store, &session.Record{ID: strconv.Itoa(i), User: user, Data: make([]byte, i), ExpiresAt: end})
	}
	fillRedis(t, r, client)
	for i := range n {
		id, user := strconv.Itoa(i), "user "+strconv.Itoa(i%9)
		var err error
		switch i % 3 {
		case 0:
			err = store.Delete(t.Context(), id)
		case 1:
			stone := &session.Record{ID: id, User: user, Kind: session.KindTombstone, Version: 1, ExpiresAt: end}
			err = store.Save(t.Context(), stone)
		default:
			alias := &session.Record{ID: id, User: user, Kind: session.KindAlias, Successor: "x", Version: 1,
				ExpiresAt: end}
			err = store.Save(t.Context(), alias)
		}
		if err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	for i := range 9 {
		if recs, err := store.ByUser(t.Context(), "user "+strconv.Itoa(i)); err != nil || len(recs) > 0 {
			t.Errorf("user %d has %v, %v", i, recs, err)
		}
	}
	err := store.Save(t.Context(), &session.Record{ID: "1", Kind: session.KindTombstone, Version: 1})
	if !errors.Is(err, session.ErrConflict) {
		t.Errorf("an end of what was ended = %v, want ErrConflict", err)
	}
	swept, err := store.Sweep(t.Context(), end.Add(time.Second), n)
	if keys := redisKeys(t, client, "session:*"); err != nil || len(keys) > 0 {
		t.Errorf("Sweep = %d, %v, and %d keys are left", swept, err, len(keys))
	}
}

// Whoever only reads on a server without room stays signed in for as long as anywhere else.
func TestWhoeverReadsStaysSignedInOnARedisThatIsFull(t *testing.T) {
	r := ownRedis(t)
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
	store := redisStore(t, client, redisstore.Options{})
	now := time.Now()
	m := node(t, store, func(o *session.Options) {
		o.IdleTimeout, o.Now = 15*time.Minute, func() time.Time { return now }
	})
	b := signedIn(t, m, "ada")
	fillRedis(t, r, client)
	for range 10 {
		now = now.Add(10 * time.Minute)
		b.with(m, func(s *session.Session) {
			if s.User() != "ada" {
				t.Errorf("at %v the session is that of %q", now, s.User())
			}
		})
	}
}

// A touch takes no room, whatever it moves.
func TestATouchTakesNoRoomOnARedisThatIsFull(t *testing.T) {
	r := ownRedis(t)
	client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
	store := redisStore(t, client, redisstore.Options{})
	seen := time.Now().Truncate(time.Microsecond).UTC()
	hour, none := seen.Add(time.Hour), time.Time{}
	steps := []struct{ is, moves time.Time }{{hour, hour}, {hour, hour.Add(time.Hour)}, {hour, none}, {none, none}}
	for i, step := range steps {
		save(t, store, &session.Record{ID: strconv.Itoa(i), SeenAt: seen, ExpiresAt: step.is})
	}
	fillRedis(t, r, client)
	later := seen.Add(time.Minute)
	for i, step := range steps {
		id := strconv.Itoa(i)
		if err := store.Touch(t.Context(), id, 1, later, step.moves); err != nil {
			t.Errorf("Touch from %v to %v: %v", step.is, step.moves, err)
		}
		if rec := loaded(t, store, id); !rec.SeenAt.Equal(later) || !rec.ExpiresAt.Equal(step.moves) {
			t.Errorf("a record that ends at %v was seen at %v and ends at %v", step.is, rec.SeenAt, rec.ExpiresAt)
		}
		if lasts, err := store.Remaining(t.Context(), id); err != nil || lasts < 0 != step.moves.IsZero() {
			t.Errorf("a record that ends at %v is kept for %v, %v", step.moves, lasts, err)
		}
	}
}
