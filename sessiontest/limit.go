package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session"
)

var limitRules = []rule{
	{name: "a user has room up to the limit", clause: "Limiter 1", needs: []need{limiter, lister},
		check: roomUpToLimit},
	{name: "what is refused at the limit changes nothing", clause: "Limiter 1", needs: []need{limiter, lister},
		check: refusedAtLimit},
	{name: "within the limit a taken id is still a conflict", clause: "Limiter 1", needs: []need{limiter},
		check: takenWithinLimit},
	{name: "within the limit a record with a version is refused", clause: "Limiter 1", needs: []need{limiter},
		check: versionWithinLimit},
	{name: "only live records of the same user count", clause: "Limiter 2", needs: []need{limiter},
		check: onlyTheUsersCount},
	{name: "what has expired does not count", clause: "Limiter 2", needs: []need{limiter}, check: expiredDoesNotCount},
	{name: "the record whose place is taken does not count", clause: "Limiter 2", needs: []need{limiter},
		check: insteadDoesNotCount},
	{name: "what is one session with the record whose place is taken still counts", clause: "Limiter 2",
		needs: []need{limiter}, check: insteadCountsForNoOther},
	{name: "a session that gets a new id counts once", clause: "Limiter 2", needs: []need{limiter},
		check: movesCountOnce},
	{name: "a record that leaves makes room", clause: "Limiter 2", needs: []need{limiter}, check: leavingMakesRoom},
	{name: "of concurrent creates as many succeed as there is room for", clause: "Limiter 3",
		needs: []need{limiter, lister}, check: limitIsExact},
	{name: "two stores keep one limit", clause: "Limiter 3", needs: []need{limiter, lister, peer},
		check: peersKeepOneLimit},
	{name: "room is a matter of the time given", clause: "Limiter 4", needs: []need{limiter}, check: limitReadsNoClock},
}

// within is a limit at the time about which all records are.
func within(max int) session.Limit { return session.Limit{Max: max, Now: base} }

// admit wants room for records.
func (e *env) admit(ctx context.Context, limit session.Limit, recs ...*session.Record) error {
	for i, rec := range recs {
		if err := e.limiter().SaveWithin(ctx, rec, limit); err != nil {
			return fmt.Errorf("SaveWithin of record %d, with room for %d = %w, want no error", i+1, limit.Max, err)
		}
	}
	return nil
}

// refuse wants that there is no room.
func (e *env) refuse(ctx context.Context, limit session.Limit, rec *session.Record) error {
	return wantError(fmt.Sprintf("SaveWithin a limit of %d that is reached", limit.Max),
		e.limiter().SaveWithin(ctx, rec, limit), session.ErrTooMany)
}

// allBytes has every byte, in an order that no text has.
func allBytes() []byte {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(255 - i)
	}
	return data
}

func roomUpToLimit(ctx context.Context, e *env) error {
	a, b := owned(idA, "ada"), owned(idB, "ada")
	a.Data, b.LoginAt, b.ExpiresAt = allBytes(), time.Time{}, time.Time{}
	return first(
		e.admit(ctx, within(2), a, b), e.wantStored(ctx, a), e.wantStored(ctx, b), e.wantUser(ctx, "ada", idA, idB),
		e.refuse(ctx, within(2), owned(idC, "ada")), e.admit(ctx, within(3), owned(idC, "ada")),
		e.wantUser(ctx, "ada", idA, idB, idC),
	)
}

func refusedAtLimit(ctx context.Context, e *env) error {
	a := owned(idA, "ada")
	return first(
		e.create(ctx, a), e.refuse(ctx, within(1), owned(idB, "ada")), e.wantAbsent(ctx, idB),
		e.wantStored(ctx, a), e.wantUser(ctx, "ada", idA), e.create(ctx, owned(idB, "ada")),
	)
}

func takenWithinLimit(ctx context.Context, e *env) error {
	a := owned(idA, "ada")
	return first(
		e.create(ctx, a),
		wantError("SaveWithin of an id that is taken", e.limiter().SaveWithin(ctx, owned(idA, "ada"), within(9)),
			session.ErrConflict),
		wantError("SaveWithin of an id that another user has", e.limiter().SaveWithin(ctx, owned(idA, "bob"),
			within(9)), session.ErrConflict),
		e.wantStored(ctx, a),
	)
}

func versionWithinLimit(ctx context.Context, e *env) error {
	a := owned(idA, "ada")
	if err := e.create(ctx, a); err != nil {
		return err
	}
	for _, id := range []string{idA, idB} {
		for _, version := range []uint64{1, 2} {
			rec := owned(id, "ada")
			rec.Version, rec.Data = version, allBytes()
			if err := e.limiter().SaveWithin(ctx, rec, within(9)); err == nil {
				return fmt.Errorf("SaveWithin of %q with version %d = no error, want one, because it only creates", id,
					version)
			}
		}
	}
	return first(e.wantStored(ctx, a), e.wantAbsent(ctx, idB))
}

func onlyTheUsersCount(ctx context.Context, e *env) error {
	alias, tombstone := owned(handle(0), "ada"), owned(handle(1), "ada")
	alias.Kind, tombstone.Kind = session.KindAlias, session.KindTombstone
	err := e.create(ctx, alias, tombstone, owned(idB, "bob"), owned(idC, ""), owned(handle(2), "ADA"),
		owned(handle(3), "ada "))
	return first(err, e.admit(ctx, within(1), owned(idA, "ada")), e.refuse(ctx, within(1), owned(handle(4), "ada")))
}

func expiredDoesNotCount(ctx context.Context, e *env) error {
	past, now, never := owned(idA, "ada"), owned(idB, "ada"), owned(idC, "ada")
	past.ExpiresAt, now.ExpiresAt, never.ExpiresAt = at(-time.Second), at(0), time.Time{}
	return first(
		e.create(ctx, past, now), e.admit(ctx, within(1), never),
		e.refuse(ctx, within(1), owned(handle(0), "ada")), e.wantStored(ctx, never),
	)
}

func insteadDoesNotCount(ctx context.Context, e *env) error {
	limit := within(1)
	limit.Instead = idA
	return first(
		e.create(ctx, owned(idA, "ada")), e.admit(ctx, limit, owned(idB, "ada")),
		e.refuse(ctx, limit, owned(idC, "ada")), e.wantStored(ctx, owned(idA, "ada")),
	)
}

// insteadCountsForNoOther takes the place of a record with which another one would count as one, if both did.
func insteadCountsForNoOther(ctx context.Context, e *env) error {
	one, other, before := within(1), within(1), within(1)
	one.Instead, other.Instead, before.Instead = idB, idC, handle(1)
	return first(
		e.create(ctx, heir(idB, idA, "ada"), heir(idC, idA, "ada")), // whose predecessor is gone
		e.refuse(ctx, one, owned(handle(0), "ada")), e.refuse(ctx, other, owned(handle(0), "ada")),
		e.create(ctx, owned(handle(1), "bob"), heir(handle(2), handle(1), "bob"), heir(handle(3), handle(2), "bob")),
		e.refuse(ctx, before, owned(handle(0), "bob")),
	)
}

// movesCountOnce has a session that is getting a new id from two requests at once: three records, of which one will
// remain.
func movesCountOnce(ctx context.Context, e *env) error {
	from, retired := owned(idA, "ada"), owned(idA, "ada")
	retired.Kind, retired.Successor, retired.Version = session.KindAlias, idB, 1
	instead := within(3)
	instead.Instead = idA
	return first(
		e.create(ctx, from, heir(idB, idA, "ada"), heir(idC, idA, "ada")),
		e.refuse(ctx, within(1), owned(handle(0), "ada")), e.admit(ctx, within(2), owned(handle(1), "ada")),
		e.refuse(ctx, within(2), owned(handle(2), "ada")),
		e.replace(ctx, retired), e.refuse(ctx, within(2), owned(handle(2), "ada")),
		e.admit(ctx, within(3), owned(handle(3), "ada")),
		e.admit(ctx, instead, owned(handle(4), "ada")), e.refuse(ctx, instead, owned(handle(5), "ada")),
	)
}

func leavingMakesRoom(ctx context.Context, e *env) error {
	a, b, c := owned(idA, "ada"), owned(idB, "ada"), owned(idC, "ada")
	retired, moved := owned(idB, "ada"), owned(idC, "bob")
	retired.Kind, retired.Version, moved.Version = session.KindTombstone, 1, 1
	return first(
		e.admit(ctx, within(1), a), e.remove(ctx, idA), e.admit(ctx, within(1), b),
		e.replace(ctx, retired), e.admit(ctx, within(1), c),
		e.replace(ctx, moved), e.admit(ctx, within(1), owned(handle(0), "ada")),
		e.refuse(ctx, within(1), owned(handle(1), "ada")),
	)
}

func limitIsExact(ctx context.Context, e *env) error {
	return limitRace(ctx, e, func(int) session.Limiter { return e.limiter() })
}

func peersKeepOneLimit(ctx context.Context, e *env) error {
	p := e.second()
	return limitRace(ctx, e, func(i int) session.Limiter { return []session.Limiter{e.limiter(), p.limiter()}[i%2] })
}

// limitRace lets users compete with themselves for their last places. saver says through which store each record goes.
func limitRace(ctx context.Context, e *env, saver func(i int) session.Limiter) error {
	const room = 5
	for round := range rounds / 2 {
		user := fmt.Sprintf("user %d", round)
		errs := race(racers, func(i int) error {
			return saver(i).SaveWithin(ctx, owned(handle(round*racers+i), user), within(room))
		})
		admitted := 0
		for _, err := range errs {
			switch {
			case err == nil:
				admitted++
			case !errors.Is(err, session.ErrTooMany):
				return fmt.Errorf("a concurrent SaveWithin = %w, want no error or ErrTooMany", err)
			}
		}
		byID, err := e.byUser(ctx, user)
		if err != nil {
			return err
		}
		if admitted != room || len(byID) != room {
			return fmt.Errorf("of %d concurrent calls with room for %d, %d succeeded and %d records are listed", racers,
				room, admitted, len(byID))
		}
	}
	return nil
}

func limitReadsNoClock(ctx context.Context, e *env) error {
	early := within(1)
	early.Now = at(-9 * day)
	late := within(1)
	late.Now = at(9 * day)
	return first(e.create(ctx, owned(idA, "ada")), e.refuse(ctx, early, owned(idB, "ada")),
		e.admit(ctx, late, owned(idC, "ada")))
}
