package otelsession_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/coatcheck/session"
	otelsession "github.com/coatcheck/session/adapters/otel"
	"github.com/coatcheck/session/memstore"
)

// A site has its providers from the OpenTelemetry SDK and an exporter. This one reads the metrics by itself.
func Example() {
	reader := sdkmetric.NewManualReader()
	telemetry, err := otelsession.New(otelsession.Options{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	if err != nil {
		panic(err)
	}
	sessions, err := session.New(telemetry.Store(memstore.New(memstore.Options{})), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		OnEvent: telemetry.Events(nil),
		OnError: telemetry.Errors(nil),
	})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()
	handler := telemetry.Middleware(sessions.Middleware)(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { session.From(r.Context()).Set("lang", "en") }))

	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://shop.example/", nil))

	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &metrics); err != nil {
		panic(err)
	}
	for _, m := range metrics.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name)
	}
	// Output:
	// coatcheck.requests
	// coatcheck.commit.duration
	// coatcheck.store.duration
	// coatcheck.sessions.begun
}
