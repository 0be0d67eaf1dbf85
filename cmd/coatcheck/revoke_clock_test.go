package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// A session that is over by the clock of the operator is not by that of the site, which would let it go on for another
// idle timeout. Somebody who is not asked, because there is nothing to count, ends it too.
func TestASessionThatIsOverByTheOperatorsClockAloneEnds(t *testing.T) {
	for _, ahead := range []time.Duration{20 * time.Second, 5 * time.Minute} {
		for _, yes := range []bool{true, false} {
			for _, way := range []string{"ids", "user", "all"} {
				t.Run(fmt.Sprint(ahead, yes, way), func(t *testing.T) { endsAhead(t, ahead, way, yes) })
			}
		}
	}
}

func endsAhead(t *testing.T, ahead time.Duration, way string, yes bool) {
	store, secret, begun := memstore.New(memstore.Options{}), session.NewSecret(), time.Now()
	at := func(after time.Duration) *session.Manager {
		m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
			IdleTimeout: 30 * time.Minute, Now: func() time.Time { return begun.Add(after) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		return m
	}
	s, _ := at(0).Open(t.Context(), "")
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	const idle = 30*time.Minute - 10*time.Second
	command := &site{Manager: at(idle + ahead), cfg: &sessionconfig.Config{Store: "file"}, store: store}
	what := map[string]target{"ids": {ids: []string{s.ID()}}, "user": {user: "ada"}, "all": {all: true}}[way]
	what.reason = string(session.ReasonOperator)
	if n, err := command.revoke(t.Context(), &tool{}, what, yes); n != 0 || err != nil {
		t.Errorf("revoke = %d, %v; want 0, for by this clock it was over before", n, err)
	}
	if s, err := at(idle).Open(t.Context(), s.Token()); err != nil || s.User() != "" {
		t.Errorf("the session goes on as that of %q, %v", s.User(), err)
	}
}
