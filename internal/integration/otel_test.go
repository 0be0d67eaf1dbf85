package integration_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/coatcheck/session"
	otelsession "github.com/coatcheck/session/adapters/otel"
	"github.com/coatcheck/session/pgstore"
	"github.com/coatcheck/session/redisstore"
	"github.com/coatcheck/session/sessiontest"
)

// dashboards are the pages of Grafana that the documentation has.
const dashboards = "../../docs/dashboards/sessions.json"

// measured is a Telemetry, and what a Prometheus would be told of it.
func measured(t *testing.T) (telemetry *otelsession.Telemetry, scrape func() string) {
	t.Helper()
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	telemetry, err = otelsession.New(otelsession.Options{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter)),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	return telemetry, func() string {
		resp, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
}

// liveOnce lets something happen that each metric counts.
func liveOnce(t *testing.T, telemetry *otelsession.Telemetry) {
	t.Helper()
	tell := telemetry.Events(nil)
	for _, kind := range []session.EventKind{session.EventConflict, session.EventEnded, session.EventRejected} {
		tell(t.Context(), session.Event{Kind: kind})
	}
	m, err := session.New(telemetry.Store(migrated(t, openSQLite(t, sqliteFile(t)), "")), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never, OnEvent: tell,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	h := telemetry.Middleware(m.Middleware)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		session.From(r.Context()).Set("lang", "en")
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://shop.example/", nil))
}

var (
	inScrape = regexp.MustCompile(`(?m)^(coatcheck_\w+)\{([^}]*)\}`)
	labels   = regexp.MustCompile(`(coatcheck_\w+)="`)
	ourNames = regexp.MustCompile(`coatcheck_\w+`)
)

// scraped returns the names of the series of a scrape, and of our labels.
func scraped(scrape string) (series, ofLabels []string) {
	for _, m := range inScrape.FindAllStringSubmatch(scrape, -1) {
		series = append(series, m[1])
		for _, label := range labels.FindAllStringSubmatch(m[2], -1) {
			ofLabels = append(ofLabels, label[1])
		}
	}
	return slices.Compact(series), slices.Compact(slices.Sorted(slices.Values(ofLabels)))
}

func TestTheDashboardNamesWhatPrometheusIsTold(t *testing.T) {
	telemetry, scrape := measured(t)
	liveOnce(t, telemetry)
	series, ofLabels := scraped(scrape())
	text, err := os.ReadFile(dashboards)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatal("the dashboard is not JSON")
	}
	named := ourNames.FindAllString(string(text), -1)
	for _, name := range named {
		if !slices.Contains(series, name) && !slices.Contains(ofLabels, name) {
			t.Errorf("the dashboard names %s, and Prometheus is told of %v with %v", name, series, ofLabels)
		}
	}
	for _, name := range series {
		if base := strings.TrimSuffix(name, "_sum"); name == base && !strings.Contains(string(text), name) &&
			!strings.HasSuffix(name, "_count") {
			t.Errorf("the dashboard shows nothing of %s", name)
		}
	}
}

// Every panel asks something of the data source that its page lets choose.
func TestEveryPanelOfTheDashboardAsks(t *testing.T) {
	text, err := os.ReadFile(dashboards)
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Panels []struct {
			Title      string
			DataSource struct{ UID string }
			Targets    []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Panels) == 0 {
		t.Error("the dashboard has no panels")
	}
	for _, p := range page.Panels {
		if len(p.Targets) == 0 || p.DataSource.UID != "${datasource}" {
			t.Errorf("%q asks %v of %q", p.Title, p.Targets, p.DataSource.UID)
		}
		for _, target := range p.Targets {
			closed := strings.Count(target.Expr, "(") == strings.Count(target.Expr, ")")
			if !closed || !strings.Contains(target.Expr, `job=~"$job"`) {
				t.Errorf("%q asks %q", p.Title, target.Expr)
			}
		}
	}
}

func TestAMeasuredStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	telemetry, _ := measured(t)
	sessiontest.Run(t, func(t *testing.T) session.Store {
		return telemetry.Store(migrated(t, openSQLite(t, sqliteFile(t)), ""))
	}, sessiontest.Options{})
}

// The stores that need a client can do measured what they can do by themselves.
func TestStoresOnServersKeepTheirAbilities(t *testing.T) {
	telemetry, _ := measured(t)
	for _, below := range []session.Store{new(pgstore.Store), new(redisstore.Store)} {
		above := telemetry.Store(below)
		_, touches := above.(session.Toucher)
		_, sweeps := above.(session.Sweeper)
		_, lists := above.(session.Lister)
		_, limits := above.(session.Limiter)
		if _, shares := above.(session.Sharer); shares || !touches || !sweeps || !lists || !limits {
			t.Errorf("%T: touches %t, sweeps %t, lists %t, limits %t, shares %t; want all but the last", below, touches,
				sweeps, lists, limits, shares)
		}
	}
}
