package integration_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// admittedLongAgo puts an id on the list of a user, as a sign-in does that then fails, so many seconds ago.
func (y *year) admittedLongAgo(user, id string, ago int64) {
	y.t.Helper()
	other := &session.Record{ID: "first of " + user, User: user}
	save(y.t, y.store, other)
	then := strconv.FormatInt(time.Now().Unix()-ago, 10)
	y.do("HSET", y.keys("u{*")[0], id, "0123456789abcdef"+then)
}

// The id of a session that is taken over follows from its old ticket, so that it comes again after a failure. Meanwhile
// others may have taken its place.
func TestAnIDThatWasAdmittedBeforeIsCountedAsAnyOther(t *testing.T) {
	y := newYear(t, singleRedis(t))
	y.admittedLongAgo("ada", "again", 60)
	within := func(id string, max int) error {
		return y.store.SaveWithin(t.Context(), &session.Record{ID: id, User: "ada"}, session.Limit{Max: max})
	}
	if err := within("other", 2); err != nil {
		t.Fatal(err)
	}
	if err := within("again", 2); !errors.Is(err, session.ErrTooMany) {
		t.Errorf("SaveWithin of an id that had been admitted = %v, want ErrTooMany", err)
	}
	if err := within("again", 3); err != nil {
		t.Errorf("SaveWithin where there is room = %v", err)
	}
	if err := within("again", 3); !errors.Is(err, session.ErrConflict) {
		t.Errorf("SaveWithin of an id that is taken = %v, want ErrConflict", err)
	}
	y.wantListed("ada", 3)
}

// Whoever is admitted again has a place from then on, and not only once his record is there.
func TestAnIDThatIsAdmittedAgainTakesItsPlaceAtOnce(t *testing.T) {
	y := newYear(t, singleRedis(t))
	y.admittedLongAgo("ada", "again", 60)
	store, cut := y.cutAt("SET")
	cut.left.Store(1)
	rec := &session.Record{ID: "again", User: "ada"}
	if err := store.SaveWithin(t.Context(), rec, session.Limit{Max: 2}); err == nil {
		t.Fatal("the save was not cut off")
	}
	entries, err := y.do("HGETALL", y.keys("u{*")[0]).AsStrMap()
	if since, _ := strconv.ParseInt(entries["again"][16:], 10, 64); err != nil || time.Now().Unix()-since > 30 {
		t.Errorf("the entry is %q, %v, want one of now", entries["again"], err)
	}
}
