package main

import (
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/examples/internal/browser"
	"github.com/coatcheck/session/memstore"
)

func TestTenCallsAMinuteForAllDevicesOfAUser(t *testing.T) {
	var elapsed atomic.Int64
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := func(o *session.Options) {
		o.Now = func() time.Time { return start.Add(time.Duration(elapsed.Load())) }
	}
	counts := memstore.New(memstore.Options{})
	address, stop, err := browser.Serve(func(m *session.Manager) (http.Handler, error) { return app(m, counts) }, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	phone, desk, bob := browser.Open(address), browser.Open(address), browser.Open(address)
	phone.Post("/login", url.Values{"user": {"ada"}})
	desk.Post("/login", url.Values{"user": {"ada"}})
	bob.Post("/login", url.Values{"user": {"bob"}})

	var passed, refused atomic.Int64
	var calls sync.WaitGroup
	for i := range 40 {
		calls.Go(func() {
			switch status, body := []*browser.Browser{phone, desk}[i%2].Get("/api/time"); status {
			case 200:
				passed.Add(1)
			case 429:
				refused.Add(1)
			default:
				t.Errorf("status %d: %s", status, body)
			}
		})
	}
	calls.Wait()
	if passed.Load() != 10 || refused.Load() != 30 {
		t.Errorf("%d calls passed and %d did not, want 10 and 30", passed.Load(), refused.Load())
	}
	resp, err := phone.Client.Get(address + "/api/time")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "6" ||
		resp.Header.Get("RateLimit") != `"api";r=0;t=60` {
		t.Errorf("status %d, %v", resp.StatusCode, resp.Header)
	}
	if status, _ := bob.Get("/api/time"); status != 200 {
		t.Errorf("another user: status %d, want 200", status)
	}
	if status, _ := browser.Open(address).Get("/api/time"); status != 401 {
		t.Errorf("a stranger: status %d, want 401", status)
	}
	elapsed.Store(int64(6 * time.Second))
	if status, _ := desk.Get("/api/time"); status != 200 {
		t.Errorf("six seconds later: status %d, want 200", status)
	}
}

func TestAStoreWithABoundIsRefusedBeforeItServes(t *testing.T) {
	bounded := memstore.New(memstore.Options{MaxSessions: 1})
	_, stop, err := browser.Serve(func(m *session.Manager) (http.Handler, error) { return app(m, bounded) })
	if err == nil {
		stop()
		t.Error("the program serves, and its limit is forgotten when the store is full")
	}
}
