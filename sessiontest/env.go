package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// env is what a rule works with: a fresh store, and what the options know about it.
type env struct {
	session.Store
	opts CheckOptions
}

// Load is that of the store, where a load that says nothing at all is an error.
func (e *env) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := e.Store.Load(ctx, id)
	if rec == nil && err == nil {
		return nil, errNothing
	}
	return rec, err
}

var errNothing = errors.New("nil, nil: neither a record nor an error")

// create saves new records.
func (e *env) create(ctx context.Context, recs ...*session.Record) error {
	for _, rec := range recs {
		if err := e.Save(ctx, rec); err != nil {
			return fmt.Errorf("Save of the new record %q = %w, want no error", rec.ID, err)
		}
	}
	return nil
}

// replace saves a record over the version that it names.
func (e *env) replace(ctx context.Context, rec *session.Record) error {
	if err := e.Save(ctx, rec); err != nil {
		return fmt.Errorf("Save of %q over its version %d = %w, want no error", rec.ID, rec.Version, err)
	}
	return nil
}

// load loads a record that must be there.
func (e *env) load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := e.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("Load(%q) = %w, want the record", id, err)
	}
	return rec, nil
}

// wantStored wants the record back as it was saved, with the version that follows.
func (e *env) wantStored(ctx context.Context, saved *session.Record) error {
	want := stored(saved)
	got, err := e.load(ctx, want.ID)
	if err != nil {
		return err
	}
	if d := differences(got, want); d != "" {
		return fmt.Errorf("Load(%q): %s", want.ID, d)
	}
	return nil
}

// wantAbsent wants that there is no such record.
func (e *env) wantAbsent(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		rec, err := e.Load(ctx, id)
		if !errors.Is(err, session.ErrNotFound) {
			return fmt.Errorf("Load(%q) = %v, %w, want ErrNotFound", id, rec, orNil(err))
		}
		if rec != nil {
			return fmt.Errorf("Load(%q) = a record and ErrNotFound, want no record", id)
		}
	}
	return nil
}

// errNil stands for an error that should be there and is not, so that it can be wrapped.
var errNil = errors.New("no error")

func orNil(err error) error {
	if err == nil {
		return errNil
	}
	return err
}

// wantError wants an error that wraps target, and none of the answers beside it.
func wantError(what string, err, target error) error {
	if !errors.Is(err, target) {
		return fmt.Errorf("%s = %w, want an error that wraps %q", what, orNil(err), target)
	}
	for _, other := range []error{session.ErrNotFound, session.ErrConflict, session.ErrTooMany} {
		if other != target && errors.Is(err, other) {
			return fmt.Errorf("%s = %w, want an error that wraps %q, and not %q as well", what, err, target, other)
		}
	}
	return nil
}

// wantOutage wants an error that says nothing about the record.
func wantOutage(what string, err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("%s = no error, want one", what)
	case errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict):
		return fmt.Errorf("%s = %w, want an error that wraps neither ErrNotFound nor ErrConflict", what, err)
	}
	return nil
}

// first returns the first error, for checks that are a list of steps.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// differences says in which fields got differs from want, "" when it does not.
func differences(got, want *session.Record) string {
	list := headDifferences(got, want)
	if !bytes.Equal(got.Data, want.Data) {
		list = append(list, fmt.Sprintf("Data has %d bytes%s, want %d bytes", len(got.Data),
			divergence(got.Data, want.Data), len(want.Data)))
	}
	return strings.Join(list, "; ")
}

// divergence says where data differs, and does not print it.
func divergence(got, want []byte) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf(" and another byte at %d", i)
		}
	}
	return ""
}

// headDifferences compares everything but the data.
func headDifferences(got, want *session.Record) []string {
	var list []string
	field := func(name string, got, want any) {
		if got != want {
			list = append(list, fmt.Sprintf("%s is %#v, want %#v", name, got, want))
		}
	}
	field("ID", got.ID, want.ID)
	field("User", got.User, want.User)
	field("Kind", got.Kind, want.Kind)
	field("Successor", got.Successor, want.Successor)
	field("Version", got.Version, want.Version)
	field("RemoteIP", got.RemoteIP, want.RemoteIP)
	field("UserAgent", got.UserAgent, want.UserAgent)
	field("Persistent", got.Persistent, want.Persistent)
	return append(list, timeDifferences(got, want)...)
}

func timeDifferences(got, want *session.Record) []string {
	var list []string
	for _, t := range []struct {
		name      string
		got, want time.Time
	}{
		{"CreatedAt", got.CreatedAt, want.CreatedAt},
		{"SeenAt", got.SeenAt, want.SeenAt},
		{"LoginAt", got.LoginAt, want.LoginAt},
		{"ExpiresAt", got.ExpiresAt, want.ExpiresAt},
	} {
		if !sameTime(t.got, t.want) {
			list = append(list, fmt.Sprintf("%s is %v, want %v", t.name, t.got, t.want))
		}
	}
	return list
}

// sameTime compares to the microsecond: a store may round what is finer, up or down.
func sameTime(a, b time.Time) bool {
	return a.IsZero() == b.IsZero() && a.Sub(b).Abs() < time.Microsecond
}
