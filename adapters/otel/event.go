package otelsession

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/coatcheck/session"
)

// other stands for every word that metrics do not name, as in OpenTelemetry's conventions.
const other = "_OTHER"

// Events counts the events of the manager, and then calls next, which may be nil. It is for session.Options.OnEvent.
func (t *Telemetry) Events(next func(context.Context, session.Event)) func(context.Context, session.Event) {
	return func(ctx context.Context, e session.Event) {
		t.count(ctx, e)
		if next != nil {
			next(ctx, e)
		}
	}
}

func (t *Telemetry) count(ctx context.Context, e session.Event) {
	switch e.Kind {
	case session.EventCreated:
		t.begun.Add(ctx, 1)
	case session.EventEnded, session.EventEvicted:
		t.ended.Add(ctx, 1, metric.WithAttributes(t.reason(e.Reason)))
	case session.EventConflict:
		t.conflicts.Add(ctx, 1)
	default:
		t.events.Add(ctx, 1, metric.WithAttributes(kind(e.Kind), t.reason(e.Reason)))
	}
}

// Errors notes why the manager refused a request, so that Middleware knows the outcome, and then calls next. If next is
// nil, the status that fits the error is sent, as without Errors. It is for session.Options.OnError.
func (t *Telemetry) Errors(next func(http.ResponseWriter, *http.Request, error),
) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if v := t.visitOf(r.Context()); v != nil {
			v.fail(refusalOf(err))
		}
		if next != nil {
			next(w, r, err)
		}
	}
}

// counted are the kinds of event that the metric for all others names.
var counted = []session.EventKind{session.EventRenewed, session.EventExpired, session.EventRejected,
	session.EventReused, session.EventUndecodable, session.EventLate, session.EventNewDevice, session.EventRefused}

func kind(k session.EventKind) attribute.KeyValue {
	if !slices.Contains(counted, k) {
		k = other
	}
	return kindKey.String(string(k))
}

// reasons are those of package session.
var reasons = []session.Reason{session.ReasonLogout, session.ReasonRevoked, session.ReasonOperator,
	session.ReasonPassword, session.ReasonLimit, session.ReasonIdle, session.ReasonLifetime, session.ReasonReplaced,
	session.ReasonReused, session.ReasonBinding, session.ReasonProvider}

func (t *Telemetry) reason(r session.Reason) attribute.KeyValue {
	switch {
	case r == "":
		r = "none"
	case !slices.Contains(t.reasons, r):
		r = other
	}
	return reasonKey.String(string(r))
}

// outcomeOf is what a call of the store came to, in a word.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, session.ErrNotFound):
		return "not_found"
	case errors.Is(err, session.ErrConflict):
		return "conflict"
	case errors.Is(err, session.ErrTooMany):
		return "too_many"
	case errors.Is(err, session.ErrCorrupt):
		return "corrupt"
	case errors.Is(err, session.ErrNotSupported):
		return "not_supported"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "unavailable"
}

// refusalOf is why the manager answered in the handler's place, in a word.
func refusalOf(err error) string {
	switch {
	case errors.Is(err, session.ErrEnded):
		return "ended"
	case errors.Is(err, session.ErrTooMany):
		return "too_many"
	case errors.Is(err, session.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, session.ErrConflict):
		return "conflict"
	}
	return "failed"
}

// isFailure tells what went wrong from what stores and visitors bring about every day.
func isFailure(outcome string) bool {
	return slices.Contains([]string{"canceled", "timeout", "unavailable", "failed"}, outcome)
}
