package otelsession

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/coatcheck/session"
)

// scope is the instrumentation scope of every span and metric.
const scope = "github.com/coatcheck/session/adapters/otel"

// The attributes of this package's own. Those of OpenTelemetry's conventions come from there.
const (
	operationKey = attribute.Key("coatcheck.operation")
	outcomeKey   = attribute.Key("coatcheck.outcome")
	kindKey      = attribute.Key("coatcheck.kind")
	reasonKey    = attribute.Key("coatcheck.reason")
)

// Options configure a Telemetry. The zero value uses the global providers of OpenTelemetry.
type Options struct {
	// TracerProvider makes the spans. nil: otel.GetTracerProvider.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics. nil: otel.GetMeterProvider.
	MeterProvider metric.MeterProvider
	// Reasons are those of the site that metrics name, besides those of package session. All others are counted as
	// "_OTHER", because a reason with a name or a number in it would make a time series for each.
	Reasons []session.Reason
}

// Telemetry makes the spans and metrics of one manager. It is safe for concurrent use. There is nothing to close: the
// providers belong to the program.
type Telemetry struct {
	tracer  trace.Tracer
	reasons []session.Reason

	requests, begun, ended, conflicts, events metric.Int64Counter
	commits, calls                            metric.Float64Histogram
}

// New makes the instruments. Make one Telemetry for each manager. The error is the provider's.
func New(opts Options) (*Telemetry, error) {
	if opts.TracerProvider == nil {
		opts.TracerProvider = otel.GetTracerProvider()
	}
	if opts.MeterProvider == nil {
		opts.MeterProvider = otel.GetMeterProvider()
	}
	t := &Telemetry{
		tracer:  opts.TracerProvider.Tracer(scope),
		reasons: slices.Concat(reasons, opts.Reasons),
	}
	if err := t.measure(opts.MeterProvider.Meter(scope)); err != nil {
		return nil, fmt.Errorf("otelsession: %w", err)
	}
	return t, nil
}

// bounds are the limits of the buckets in seconds: from what memory takes to what the manager waits for a store.
var bounds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// measure makes the metrics. Their names are kept: dashboards and alarms of sites have them.
func (t *Telemetry) measure(m metric.Meter) error {
	var errs []error
	count := func(name, unit, text string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs = append(errs, err)
		return c
	}
	duration := func(name, text string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text),
			metric.WithExplicitBucketBoundaries(bounds...))
		errs = append(errs, err)
		return h
	}
	t.requests = count("coatcheck.requests", "{request}", "Requests by what their session cost or came to.")
	t.commits = duration("coatcheck.commit.duration", "How long responses waited for their session to be stored.")
	t.calls = duration("coatcheck.store.duration", "How long calls to the store took.")
	t.begun = count("coatcheck.sessions.begun", "{session}", "Sessions that were stored for the first time.")
	t.ended = count("coatcheck.sessions.ended", "{session}", "Sessions that were ended, by reason.")
	t.conflicts = count("coatcheck.conflicts", "{conflict}", "Changes that were merged with those of another request.")
	t.events = count("coatcheck.events", "{event}", "Events that no other metric counts, by kind and reason.")
	return errors.Join(errs...)
}

// now is the time by which durations are measured. No session is judged by it.
func now() time.Time { return time.Now() }
