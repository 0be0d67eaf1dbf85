package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// A store says when it has begun to listen, as memory and PostgreSQL do. That is no session, and is not counted.
func TestOnlySessionsThatEndAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Options{})
		m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		var out bytes.Buffer
		tool := &tool{}
		tool.Out, tool.JSON = &out, true
		go func() {
			_ = watchEnds(t.Context(), tool, &site{Manager: m, cfg: &sessionconfig.Config{}, store: store}, 1)
		}()
		synctest.Wait()
		s := signedIn(t.Context(), t, m)
		if _, err := m.Revoke(t.Context(), s.ID()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var shown end
		if err := json.Unmarshal(out.Bytes(), &shown); err != nil || shown.ID != s.ID() {
			t.Errorf("it shows %s, %v, want the session %s alone", &out, err, s.ID())
		}
	})
}

// signedIn is a new session of ada.
func signedIn(ctx context.Context, t *testing.T, m *session.Manager) *session.Session {
	t.Helper()
	s, err := m.Open(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// silent is a store that cannot be asked.
type silent struct {
	*memstore.Store
	err error
}

func (s *silent) Load(context.Context, string) (*session.Record, error) { return nil, s.err }

// ends is a list of what ends in a store, with a site on that store, and what the list writes.
func ends(t *testing.T, store session.Store) (*endList, *site, *bytes.Buffer) {
	t.Helper()
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	out := &bytes.Buffer{}
	list := &endList{tool: &tool{}}
	list.tool.Out, list.tool.JSON = out, true
	return list, &site{Manager: m, store: store}, out
}

func TestAnEndThatCannotBeLookedAtIsNotCalledOne(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("load: %w", session.ErrNotFound), "ended"},
		{fmt.Errorf("load: %w", session.ErrCorrupt), "ended"},
		{errors.New("connection refused"), "unknown"},
	} {
		store := &silent{memstore.New(memstore.Options{}), row.err}
		list, site, out := ends(t, store)
		if err := list.add(t.Context(), site, "an id"); err != nil {
			t.Fatal(err)
		}
		var shown end
		if err := json.Unmarshal(out.Bytes(), &shown); err != nil || shown.Event != row.want {
			t.Errorf("when Load gives %v it shows %s, want %q", row.err, out, row.want)
		}
	}
}

// What becomes known later is told then, and the session is counted once.
func TestAnEndThatWasUnknownIsToldAgainAndCountedOnce(t *testing.T) {
	down := errors.New("connection refused")
	store := &silent{memstore.New(memstore.Options{}), down}
	list, site, out := ends(t, store)
	for _, err := range []error{down, down, session.ErrNotFound, session.ErrNotFound, down} {
		store.err = err
		if err := list.add(t.Context(), site, "an id"); err != nil {
			t.Fatal(err)
		}
	}
	var events []string
	for lines := json.NewDecoder(out); lines.More(); {
		var shown end
		if err := lines.Decode(&shown); err != nil {
			t.Fatal(err)
		}
		events = append(events, shown.Event)
	}
	if want := []string{"unknown", "ended"}; !slices.Equal(events, want) || list.shown != 1 {
		t.Errorf("it shows %q and counts %d, want %q and 1", events, list.shown, want)
	}
}

func TestNothingIsShownOfWhatIsAskedWhenTheWatchEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	store := &silent{memstore.New(memstore.Options{}), ctx.Err()}
	list, site, out := ends(t, store)
	if err := list.add(ctx, site, "an id"); err != nil || out.Len() > 0 {
		t.Errorf("it shows %s, %v, want nothing", out, err)
	}
}
