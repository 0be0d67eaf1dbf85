package sessiontest

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/coatcheck/session"
)

// A store may remember what it loaded, and write less. These rules see to it that it writes enough.
var changeRules = []rule{
	{name: "a save over what was loaded stores each field that it changes", clause: "Store 10", check: changesAreSaved},
	{name: "a save stores each field over what a second store has changed", clause: "Store 8", needs: []need{peer},
		check: changesOfPeersAreSaved},
	{name: "a save over what was touched since its load stores its own times", clause: "Store 10",
		needs: []need{toucher}, check: timesAreSaved},
}

// edit changes one thing about a record.
type edit struct {
	name string
	do   func(*session.Record)
}

// unlike is a record that differs from sample(id) in every field but the id.
func unlike(id string) *session.Record {
	rec := next(id, 1)
	rec.Kind, rec.Successor, rec.CreatedAt = session.KindTombstone, idB, at(-2*time.Hour)
	return rec
}

// edits change a sample, one for each field, and the times in more than one way. Reflection forgets no field.
func edits() []edit {
	list := []edit{
		{"SeenAt, to an earlier time", func(r *session.Record) { r.SeenAt = at(-2 * time.Hour) }},
		{"ExpiresAt, to an earlier time", func(r *session.Record) { r.ExpiresAt = at(time.Minute) }},
		{"ExpiresAt, to never", func(r *session.Record) { r.ExpiresAt = time.Time{} }},
		{"Kind, to an alias", func(r *session.Record) { r.Kind = session.KindAlias }},
	}
	other := reflect.ValueOf(unlike(idA)).Elem()
	for i := range other.NumField() {
		name := other.Type().Field(i).Name
		if name == "ID" || name == "Version" { // which say what is saved over
			continue
		}
		list = append(list, edit{name, func(r *session.Record) {
			reflect.ValueOf(r).Elem().Field(i).Set(other.Field(i))
		}})
	}
	return list
}

func changesAreSaved(ctx context.Context, e *env) error { return e.savesChanges(ctx, e) }

func changesOfPeersAreSaved(ctx context.Context, e *env) error {
	return e.savesChanges(ctx, e.second())
}

// savesChanges has one store make each change over what the other one has loaded.
func (e *env) savesChanges(ctx context.Context, other *env) error {
	for i, change := range edits() {
		if err := e.savesChange(ctx, other, handle(i), change.do); err != nil {
			return fmt.Errorf("a save that changes %s: %w", change.name, err)
		}
	}
	return nil
}

// savesChange takes a change back without a load between, and then makes it again.
func (e *env) savesChange(ctx context.Context, other *env, id string, change func(*session.Record)) error {
	if err := e.create(ctx, sample(id)); err != nil {
		return err
	}
	loaded, err := e.load(ctx, id)
	if err != nil {
		return err
	}
	changed, back, again := loaded.Clone(), loaded.Clone(), loaded.Clone()
	change(changed)
	back.Version, again.Version = 2, 3
	back.Data = []byte("taken back")
	again.Data = back.Data
	change(again)
	return first(
		other.replace(ctx, changed), e.replace(ctx, back), e.wantStored(ctx, back), e.wantListed(ctx, stored(back)),
		other.replace(ctx, again), e.wantStored(ctx, again), e.wantListed(ctx, stored(again)),
	)
}

func timesAreSaved(ctx context.Context, e *env) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	rec, err := e.load(ctx, idA)
	if err != nil {
		return err
	}
	rec.Data = []byte("other data")
	return first(e.touch(ctx, idA, 1, at(day), at(2*day)), e.replace(ctx, rec), e.wantStored(ctx, rec))
}
