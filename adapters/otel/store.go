package otelsession

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/coatcheck/session"
)

// store passes each call on, and measures it. These are the methods that every store has here, because what they answer
// for a store that lacks the ability is what a manager takes its absence for. The others are added one by one.
type store struct {
	t     *Telemetry
	next  session.Store
	whole session.Store // this store with what was added, as the manager has it
}

// Store returns a store for the manager that measures each call and passes it on. It can do what the given store can,
// and nothing else: a manager finds the same abilities, and a store in the memory of the process stays one. Of a
// [session.Carrier] it has the methods that a manager calls. If you need other methods of the store, such as Close,
// keep the store itself.
//
// A call has a span if it belongs to a request of Middleware, or has a parent span. What a manager does in the
// background, such as sweeping, is in the metrics alone.
func (t *Telemetry) Store(next session.Store) session.Store {
	if r := reflect.ValueOf(next); next == nil || r.Kind() == reflect.Pointer && r.IsNil() {
		return next // which session.New refuses
	}
	s := &store{t: t, next: next}
	s.whole = s.withAbilities()
	return s.whole
}

func (s *store) Load(ctx context.Context, id string) (*session.Record, error) {
	ctx, c := s.t.begin(ctx, "load", semconv.SessionID(id))
	rec, err := s.next.Load(ctx, id)
	c.end(err)
	return rec, err
}

func (s *store) Save(ctx context.Context, rec *session.Record) error {
	ctx, c := s.t.begin(ctx, "save", idsOf(rec)...)
	err := s.next.Save(ctx, rec)
	c.end(err)
	return err
}

func (s *store) Delete(ctx context.Context, id string) error {
	ctx, c := s.t.begin(ctx, "delete", semconv.SessionID(id))
	err := s.next.Delete(ctx, id)
	c.end(err)
	return err
}

// Watch lasts as long as the process, so that no duration tells anything.
func (s *store) Watch(ctx context.Context, tell func(id string)) error {
	if w, ok := s.next.(session.Watcher); ok {
		return w.Watch(ctx, tell)
	}
	return fmt.Errorf("otelsession: %w: %T reports no ended sessions", session.ErrNotSupported, s.next)
}

func (s *store) OnEvict(fn func(id, user string)) (stop func()) {
	if e, ok := s.next.(session.Evicter); ok {
		return e.OnEvict(fn)
	}
	return func() {}
}

func (s *store) Forgets() string { return session.Forgets(s.next) }

func (s *store) Local() bool {
	l, ok := s.next.(session.LocalStore)
	return ok && l.Local()
}

func (s *store) Discards() bool {
	d, ok := s.next.(session.Discarder)
	return ok && d.Discards()
}

// idsOf are the public handles of a record. The second names the session that this one goes on from under a new id.
func idsOf(rec *session.Record) []attribute.KeyValue {
	ids := []attribute.KeyValue{semconv.SessionID(rec.ID)}
	if before := rec.Predecessor(); before != "" {
		ids = append(ids, semconv.SessionPreviousID(before))
	}
	return ids
}

// call is one call of a store that is under way.
type call struct {
	t         *Telemetry
	ctx       context.Context
	v         *visit     // nil: it belongs to no request of Middleware
	span      trace.Span // nil: there is none
	operation string
	start     time.Time
}

// begin begins a call, with the context for it.
func (t *Telemetry) begin(ctx context.Context, operation string, ids ...attribute.KeyValue) (context.Context, call) {
	c := call{t: t, v: t.visitOf(ctx), operation: operation, start: now()}
	if c.v != nil {
		ctx = c.v.below(ctx, ids)
	}
	if c.v != nil || trace.SpanContextFromContext(ctx).IsValid() {
		ctx, c.span = t.tracer.Start(ctx, "coatcheck "+operation, trace.WithAttributes(ids...))
	}
	c.ctx = ctx
	return ctx, c
}

// end ends a call. Of the error it keeps a word: what a driver says may contain names and addresses.
func (c call) end(err error) {
	outcome := outcomeOf(err)
	c.t.calls.Record(c.ctx, now().Sub(c.start).Seconds(),
		metric.WithAttributes(operationKey.String(c.operation), outcomeKey.String(outcome)))
	if c.v != nil {
		c.v.note(c.operation, outcome)
	}
	if c.span != nil {
		finish(c.span, outcome)
	}
}

// finish ends a span that came to something.
func finish(span trace.Span, outcome string) {
	span.SetAttributes(outcomeKey.String(outcome))
	if isFailure(outcome) {
		span.SetStatus(codes.Error, outcome)
		span.SetAttributes(semconv.ErrorTypeKey.String(outcome))
	}
	span.End()
}
