package sqltable

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// Channel is where all tables of a PostgreSQL database announce their sessions. A payload is the table, a space and the
// id.
const Channel = "coatcheck_sessions"

// Told returns what to do with a payload: tell of the table's own sessions, and of "", with which a listener begins.
func Told(table string, tell func(id string)) func(payload string) {
	return func(payload string) {
		if id, ours := strings.CutPrefix(payload, table+" "); ours || payload == "" {
			tell(id)
		}
	}
}

// Ears are a connection that listens on a channel.
type Ears struct {
	Direct bool                                            // nothing stands between the connection and the server
	Wait   func(ctx context.Context) (string, error)       // for the next payload
	Notify func(ctx context.Context, payload string) error // with another connection
	Advice string                                          // what to do when a pooler passes nothing on
}

// Hear calls heard with "" once nothing is missed any more, and then with each payload, until the context or the
// connection ends. If a pooler passes no notifications on, its error wraps [session.ErrNotSupported].
func (e Ears) Hear(ctx context.Context, heard func(payload string)) error {
	if !e.Direct {
		if err := e.try(ctx, heard); err != nil {
			return err
		}
	}
	heard("")
	for {
		payload, err := e.Wait(ctx)
		if err != nil {
			return err
		}
		heard(payload)
	}
}

// try waits for a notification of its own, which a pooler may keep to itself.
func (e Ears) try(ctx context.Context, heard func(payload string)) error {
	probe := "coatcheck/" + rand.Text()
	if err := e.Notify(ctx, probe); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, patience, errNothingHeard)
	defer cancel()
	for {
		payload, err := e.Wait(waiting)
		switch {
		case err != nil && errors.Is(context.Cause(waiting), errNothingHeard):
			return fmt.Errorf("%w: %s, or connect to the server itself", errNothingHeard, e.Advice)
		case err != nil:
			return err
		case payload == probe:
			return nil
		}
		heard(payload)
	}
}

// patience is how long a notification may take.
const patience = 5 * time.Second

var errNothingHeard = fmt.Errorf("%w: a pooler between this program and the server passes no notifications on",
	session.ErrNotSupported)
