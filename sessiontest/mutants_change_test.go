package sessiontest_test

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessiontest"
)

// A field that a record gets one day is changed by the rules, too.
func TestTheRulesChangeEveryField(t *testing.T) {
	one, other := sessiontest.Unlike()
	a, b := reflect.ValueOf(*one), reflect.ValueOf(*other)
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) != (name == "ID") {
			t.Errorf("no rule changes the field %s: let sample and unlike differ in it", name)
		}
	}
}

// memory makes a store remember what it loads, and write only the data of a record that comes back the same.
type memory struct {
	same    func(loaded, saved *session.Record) bool
	anyhow  bool // whatever version it was that was loaded
	touched bool // keeps times that are later than the same
}

func (m memory) change(s *store) {
	var known sync.Map // id to record
	s.load = func(ctx context.Context, id string) (*session.Record, error) {
		rec, err := s.shelf.Load(ctx, id)
		if err == nil {
			known.Store(id, rec.Clone())
		}
		return rec, err
	}
	s.save = func(ctx context.Context, rec *session.Record) error {
		was, ok := known.Load(rec.ID)
		if !ok || rec.Version == 0 || !m.anyhow && was.(*session.Record).Version != rec.Version ||
			!m.same(was.(*session.Record), rec) {
			return s.shelf.Save(ctx, rec)
		}
		now := s.get(rec.ID)
		if now == nil {
			return s.shelf.Save(ctx, rec)
		}
		least := was.(*session.Record).Clone()
		if m.anyhow || m.touched {
			least = now.Clone()
		}
		least.Version, least.Data = rec.Version, rec.Data
		return s.shelf.Save(ctx, least)
	}
}

// sameBut compares all fields but the data, the version and one more.
func sameBut(field string) func(a, b *session.Record) bool {
	return func(a, b *session.Record) bool {
		x, y := reflect.ValueOf(*a), reflect.ValueOf(*b)
		for i := range x.NumField() {
			switch x.Type().Field(i).Name {
			case "Data", "Version", field:
				continue
			}
			if t, ok := x.Field(i).Interface().(time.Time); ok && t.Equal(y.Field(i).Interface().(time.Time)) {
				continue
			}
			if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
				return false
			}
		}
		return true
	}
}

func changeMutants() []mutant {
	list := []mutant{
		{"a save over what was loaded stores each field that it changes", "takes an earlier end for the same",
			memory{same: func(a, b *session.Record) bool {
				return sameBut("ExpiresAt")(a, b) && !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(a.ExpiresAt)
			}}.change},
		{"a save over what was loaded stores each field that it changes", "goes by an older load",
			memory{same: sameBut(""), anyhow: true}.change},
		{"a save stores each field over what a second store has changed", "goes by an older load",
			memory{same: sameBut(""), anyhow: true}.change},
		{"a save over what was touched since its load stores its own times", "leaves those of the touch",
			memory{same: sameBut(""), touched: true}.change},
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[session.Record]()) {
		if f.Name != "ID" && f.Name != "Version" && f.Name != "Data" {
			list = append(list, mutant{"a save over what was loaded stores each field that it changes",
				"does not compare " + f.Name, memory{same: sameBut(f.Name)}.change})
		}
	}
	return list
}
