package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// lame is a store of which some calls fail.
type lame struct {
	fullStore
	mu    sync.Mutex
	fails string
}

func newLame() *lame { return &lame{fullStore: memstore.New(memstore.Options{})} }

// fail makes one call fail from now on, none with "".
func (l *lame) fail(call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = call
}

func (l *lame) err(call string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails == call {
		return errDown
	}
	return nil
}

func (l *lame) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := l.err("load"); err != nil {
		return nil, err
	}
	return l.fullStore.Load(ctx, id)
}

func (l *lame) Delete(ctx context.Context, id string) error {
	return errors.Join(l.err("delete"), l.fullStore.Delete(ctx, id))
}

func (l *lame) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	recs, err := l.fullStore.ByUser(ctx, user)
	return recs, errors.Join(l.err("by user"), err)
}

func (l *lame) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	recs, err := l.fullStore.Page(ctx, after, limit)
	return recs, errors.Join(l.err("page"), err)
}

func (l *lame) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := l.fullStore.Sweep(ctx, before, limit)
	return n, errors.Join(l.err("sweep"), err)
}

func (l *lame) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if err := l.err("save within"); err != nil {
		return err
	}
	return l.fullStore.SaveWithin(ctx, rec, limit)
}

// questions are what the store is asked for, and which call of it fails then.
var questions = map[string]struct {
	fails string
	ask   func(r *rig, id string) error
}{
	"Revoke": {"load", func(r *rig, id string) error {
		_, err := r.Revoke(r.t.Context(), id)
		return err
	}},
	"Revoke, at the end": {"delete", func(r *rig, id string) error {
		_, err := r.Revoke(r.t.Context(), id)
		return err
	}},
	"RevokeOwn": {"load", func(r *rig, id string) error {
		_, err := r.RevokeOwn(r.t.Context(), "ada", id)
		return err
	}},
	"RevokeUser": {"by user", func(r *rig, _ string) error {
		_, err := r.RevokeUser(r.t.Context(), "ada")
		return err
	}},
	"RevokeUser, at the end": {"delete", func(r *rig, _ string) error {
		_, err := r.RevokeUser(r.t.Context(), "ada")
		return err
	}},
	"Sessions": {"by user", func(r *rig, _ string) error {
		_, err := r.Sessions(r.t.Context(), "ada")
		return err
	}},
	"UpdateUser": {"by user", func(r *rig, _ string) error {
		_, err := r.UpdateUser(r.t.Context(), "ada", setLevel("x"))
		return err
	}},
	"Sweep": {"sweep", func(r *rig, _ string) error {
		_, err := r.Sweep(r.t.Context())
		return err
	}},
	"All": {"page", func(r *rig, _ string) (last error) {
		for _, err := range r.All(r.t.Context()) {
			last = err
		}
		return last
	}},
}

// Whoever asks for something that the store cannot do is told, and takes no failure for an answer.
func TestAFailureOfTheStoreReachesWhoeverAsked(t *testing.T) {
	for name, a := range questions {
		t.Run(name, func(t *testing.T) {
			store := newLame()
			r := newRigOn(t, store)
			_, id := r.signIn("ada")
			store.fail(a.fails)
			if err := a.ask(r, id); !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, errDown) {
				t.Errorf("%v, want the store's error and ErrUnavailable", err)
			}
		})
	}
}

func TestALoginWithALimitIsA503WhileTheStoreIsDown(t *testing.T) {
	for _, fails := range []string{"save within", "by user"} {
		store := newLame()
		r := newRigOn(t, store, func(o *session.Options) { o.MaxPerUser = 1 })
		r.signIn("ada")
		store.fail(fails)
		v := r.visitor()
		resp := v.with(func(s *session.Session) { s.Login("ada") })
		if resp.StatusCode != http.StatusServiceUnavailable || v.ticket() != "" {
			t.Errorf("%s fails: status %d, a ticket: %v; want 503 and none", fails, resp.StatusCode, v.ticket() != "")
		}
	}
}

func TestAReloadThatFailsChangesNothing(t *testing.T) {
	store := newLame()
	r := newRigOn(t, store)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	v.with(func(s *session.Session) {
		s.Set("x", 2)
		store.fail("load")
		if err := s.Reload(t.Context()); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Reload = %v, want ErrUnavailable", err)
		}
		store.fail("")
		if s.User() != "ada" || s.Get("x") != int64(2) {
			t.Errorf("user %q, x = %v, want what was there before", s.User(), s.Get("x"))
		}
	})
}

func TestNobodysSessionsAreNobodysOwn(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Set("x", 1); id = s.ID() })
	if n, err := r.RevokeOwn(t.Context(), "", id); n != 0 || err == nil {
		t.Errorf("RevokeOwn of nobody = %d, %v, want an error", n, err)
	}
	v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
}

// failingCodec is JSON until it breaks.
type failingCodec struct {
	countingCodec
	broken *bool
}

func (c failingCodec) Marshal(v any) ([]byte, error) {
	if *c.broken {
		return nil, errors.New("broken codec")
	}
	return c.countingCodec.Marshal(v)
}

// A value is encoded when the session is stored, if a part of it was changed. What does not encode then is not stored
// without it.
func TestAValueThatDoesNotEncodeWhenItIsStoredFailsTheCommit(t *testing.T) {
	broken := false
	r := newRig(t, with(failingCodec{countingCodec{new(atomic.Int64), new(atomic.Int64)}, &broken}))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("a", map[string]any{"b": 1}) })
	resp := v.with(func(s *session.Session) {
		s.Set("a.b", 2)
		s.Set("c", 3)
		broken = true
	})
	broken = false
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		wantGet(t, s, "a.b", int64(1))
		wantGet(t, s, "c", nil)
	})
}

func TestParseSecretsNamesTheOneThatIsWrong(t *testing.T) {
	good := "base64:" + strings.Repeat("QUJD", 11)
	for _, text := range []string{good + ",base64:!", good + ",hex:00"} {
		if _, err := session.ParseSecrets(text); err == nil || !strings.Contains(err.Error(), "secret 2 ") {
			t.Errorf("ParseSecrets = %v, want an error that names secret 2", err)
		}
	}
	for _, text := range []string{"", " \n"} {
		_, err := session.ParseSecrets(text)
		if err == nil || !strings.Contains(err.Error(), "at least one is required") {
			t.Errorf("ParseSecrets(%q) = %v, want an error that there is none", text, err)
		}
	}
}
