package device_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/internal/explore/device"
	"github.com/coatcheck/session/memstore"
)

func inMemory(t *testing.T, p device.Play) {
	store := memstore.New(memstore.Options{})
	p.Start = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	t.Logf("%d orders", p.Orders(t, [2]explore.Store{store, store}))
}

func TestEveryOrderOfTwoRequestsKeepsTheBinding(t *testing.T) {
	inMemory(t, device.Play{Requests: 2, Preemptions: -1})
	inMemory(t, device.Play{Requests: 2, Preemptions: -1, Renew: true})
}

func TestOrdersOfThreeRequestsKeepTheBinding(t *testing.T) {
	inMemory(t, device.Play{Requests: 3, Preemptions: 1, Renew: true})
}
