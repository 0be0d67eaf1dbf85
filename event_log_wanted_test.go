package session_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/coatcheck/session"
)

// unwilling is a handler of a log that wants nothing.
type unwilling struct {
	slog.Handler
	t *testing.T
}

func (unwilling) Enabled(context.Context, slog.Level) bool { return false }

func (u unwilling) Handle(_ context.Context, r slog.Record) error {
	u.t.Errorf("the log is given %q, which it does not want", r.Message)
	return nil
}

func TestALogGetsWhatItWants(t *testing.T) {
	r := newRig(t, func(o *session.Options) {
		o.Logger = slog.New(unwilling{slog.NewTextHandler(io.Discard, nil), t})
	})
	v, _ := r.signIn("ada")
	v.with((*session.Session).Logout)
	if r.ev.count(session.EventEnded) != 1 {
		t.Error("no event says that the session ended")
	}
}

func TestTheLogNamesWhoAndWhyOfAnEvent(t *testing.T) {
	var log logged
	r := newRig(t, log.to)
	v, _ := r.signIn("ada")
	v.with((*session.Session).Logout)
	if !log.has("DEBUG", "session ended", "user=ada", "reason=logout", "actor=ada", "ip=192.0.2.1") {
		t.Errorf("the log is\n%s", log.text())
	}
}
