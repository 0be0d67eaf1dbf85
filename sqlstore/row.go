package sqlstore

import (
	"database/sql"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// replacing returns the parameters of a statement that replaces rec.
func replacing(op operation, rec *session.Record) []any {
	args := append(sqltable.Values(rec), int64(rec.Version))
	if op == opUpdate {
		return append(args[3:], args[:3]...) // user, kind and end are conditions there
	}
	return args
}

// targets returns where Scan puts the columns of a listing, with room for the data.
func targets(rec *session.Record) []any {
	return append(make([]any, 0, 13),
		&rec.ID, &rec.User, integer[session.RecordKind]{&rec.Kind, int64(session.KindTombstone)}, &rec.Successor,
		integer[uint64]{&rec.Version, math.MaxInt64},
		micros{&rec.CreatedAt}, micros{&rec.SeenAt}, micros{&rec.LoginAt}, micros{&rec.ExpiresAt},
		ip{&rec.RemoteIP}, &rec.UserAgent, boolean{&rec.Persistent})
}

// The types below read a column without the reflection with which Scan fills plain pointers to numbers.

type integer[T uint64 | session.RecordKind] struct {
	to   *T
	most int64
}

func (i integer[T]) Scan(src any) error {
	n, err := number(src)
	if err == nil && (n < 0 || n > i.most) {
		err = fmt.Errorf("%w: %d is out of range", session.ErrCorrupt, n)
	}
	*i.to = T(n)
	return err
}

type boolean struct{ to *bool }

func (b boolean) Scan(src any) error {
	n, err := number(src)
	if err == nil && n != 0 && n != 1 {
		err = fmt.Errorf("%w: %d is neither 0 nor 1", session.ErrCorrupt, n)
	}
	*b.to = n == 1
	return err
}

type micros struct{ to *time.Time }

func (m micros) Scan(src any) error {
	if src == nil {
		return nil
	}
	n, err := number(src)
	*m.to = time.UnixMicro(n).UTC()
	return err
}

// number is src as it comes from most drivers, or what database/sql makes of it.
func number(src any) (int64, error) {
	if n, ok := src.(int64); ok {
		return n, nil
	}
	var n sql.Null[int64]
	if err := n.Scan(src); err != nil || !n.Valid {
		return 0, fmt.Errorf("%w: no number where there must be one", session.ErrCorrupt)
	}
	return n.V, nil
}

type ip struct{ to *netip.Addr }

// Scan reads what is no address as none: it is for people to look at, and no reason to keep somebody from a session.
func (a ip) Scan(src any) error {
	var text sql.NullString
	err := text.Scan(src)
	*a.to, _ = netip.ParseAddr(text.String)
	return err
}
