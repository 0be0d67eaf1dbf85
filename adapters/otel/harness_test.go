package otelsession_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/coatcheck/session"
	otelsession "github.com/coatcheck/session/adapters/otel"
	"github.com/coatcheck/session/memstore"
)

const visits = session.Key[int]("visits")

// recorder has what a Telemetry made.
type recorder struct {
	*testing.T
	telemetry *otelsession.Telemetry
	spans     *tracetest.SpanRecorder
	tracers   *sdktrace.TracerProvider
	reader    *sdkmetric.ManualReader
}

func newRecorder(t *testing.T, reasons ...session.Reason) *recorder {
	t.Helper()
	rec := &recorder{T: t, spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	rec.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec.spans))
	telemetry, err := otelsession.New(otelsession.Options{
		TracerProvider: rec.tracers,
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(rec.reader)),
		Reasons:        reasons,
	})
	if err != nil {
		t.Fatal(err)
	}
	rec.telemetry = telemetry
	return rec
}

// metrics returns what was counted: "name a,b" with the values of the attributes in the order of their names.
func (r *recorder) metrics() map[string]int {
	r.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &all); err != nil {
		r.Fatal(err)
	}
	counts := map[string]int{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					counts[series(m.Name, p.Attributes)] = int(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					counts[series(m.Name, p.Attributes)] = int(p.Count)
				}
			}
		}
	}
	return counts
}

func series(name string, of attribute.Set) string {
	var values []string
	for _, kv := range of.ToSlice() {
		values = append(values, kv.Value.String())
	}
	return strings.TrimSpace(name + " " + strings.Join(values, ","))
}

// wantMetrics wants the series of these names to be these, and no others.
func (r *recorder) wantMetrics(prefix string, want map[string]int) {
	r.Helper()
	got := map[string]int{}
	for name, n := range r.metrics() {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			got[strings.TrimSpace(rest)] = n
		}
	}
	if len(got) != len(want) {
		r.Errorf("%s: %v, want %v", prefix, got, want)
		return
	}
	for name, n := range want {
		if got[name] != n {
			r.Errorf("%s: %v, want %v", prefix, got, want)
			return
		}
	}
}

// named returns the spans of that name that have ended, in the order of their ends.
func (r *recorder) named(name string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(r.spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
}

// names are those of all spans, in the order of their ends.
func (r *recorder) names() (names []string) {
	for _, s := range r.spans.Ended() {
		names = append(names, strings.TrimPrefix(s.Name(), "coatcheck "))
	}
	return names
}

// value returns the text of an attribute, "" if there is none.
func value(s sdktrace.ReadOnlySpan, key attribute.Key) string {
	for _, kv := range s.Attributes() {
		if kv.Key == key {
			return kv.Value.String()
		}
	}
	return ""
}

// failing is a store that can be taken down, and that can meet conflicts.
type failing struct {
	*memstore.Store
	loads, saves, touches, deletes atomic.Bool
	before                         func(*session.Record) // each save; may be nil
	fails                          error                 // of a save; nil: errDown
}

var errDown = errors.New("the server at 10.0.0.7 is down")

func (f *failing) Load(ctx context.Context, id string) (*session.Record, error) {
	if f.loads.Load() {
		return nil, errDown
	}
	return f.Store.Load(ctx, id)
}

func (f *failing) Save(ctx context.Context, rec *session.Record) error {
	if f.before != nil {
		f.before(rec)
	}
	if f.saves.Load() {
		return cmp.Or(f.fails, errDown)
	}
	return f.Store.Save(ctx, rec)
}

func (f *failing) Delete(ctx context.Context, id string) error {
	if f.deletes.Load() {
		return errDown
	}
	return f.Store.Delete(ctx, id)
}

func (f *failing) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	if f.touches.Load() {
		return errDown
	}
	return f.Store.Touch(ctx, id, version, seen, expires)
}

// site is a server whose sessions are measured, and a browser in front of it.
type site struct {
	*recorder
	store    *failing
	sessions *session.Manager
	server   *httptest.Server
	browser  *http.Client
}

// open starts a site with the pages. Each change is applied to the options first.
func open(t *testing.T, pages map[string]http.HandlerFunc, change ...func(*session.Options)) *site {
	t.Helper()
	s := &site{recorder: newRecorder(t), store: &failing{Store: memstore.New(memstore.Options{})}}
	opts := session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
		Cookie:  session.Cookie{Insecure: true},
		Logger:  slog.New(slog.DiscardHandler),
		OnEvent: s.telemetry.Events(nil), OnError: s.telemetry.Errors(nil),
	}
	for _, c := range change {
		c(&opts)
	}
	m, err := session.New(s.telemetry.Store(s.store), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	s.sessions = m
	mux := http.NewServeMux()
	for path, page := range pages {
		mux.HandleFunc(path, page)
	}
	s.serve(s.telemetry.Middleware(m.Middleware)(mux))
	return s
}

// serve begins to serve with a new browser.
func (s *site) serve(h http.Handler) {
	s.server = httptest.NewServer(h)
	s.Cleanup(s.server.Close)
	s.server.Config.ErrorLog = nil
	jar, _ := cookiejar.New(nil) // which has no error
	s.browser = &http.Client{Jar: jar, Transport: s.server.Client().Transport}
}

// get returns status and body of a page.
func (s *site) get(path string) (int, string) {
	s.Helper()
	resp, err := s.browser.Get(s.server.URL + path)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// load is the session of the request, which must be there.
func load(r *http.Request) *session.Session { return session.From(r.Context()) }

func set(_ http.ResponseWriter, r *http.Request) {
	visits.Update(load(r), func(n int) int { return n + 1 })
}

func read(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, load(r).ID()) // "" for a stranger
}

func login(_ http.ResponseWriter, r *http.Request)  { load(r).Login("ada") }
func logout(_ http.ResponseWriter, r *http.Request) { load(r).Logout() }
func leave(http.ResponseWriter, *http.Request)      {}
