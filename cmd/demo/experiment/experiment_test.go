package experiment_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/experiment"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
)

func onEachStore(t *testing.T, test func(t *testing.T, store trace.Backend)) {
	t.Run("memory", func(t *testing.T) { test(t, memstore.New(memstore.Options{})) })
	t.Run("file", func(t *testing.T) {
		store, err := filestore.New(t.TempDir()+"/sessions", filestore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		test(t, store)
	})
}

func run(t *testing.T, name string, store trace.Backend) *experiment.Report {
	t.Helper()
	e, ok := experiment.Find(name)
	if !ok {
		t.Fatalf("there is no experiment %q", name)
	}
	report, err := e.Run(t.Context(), store)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return report
}

// wantRequest wants a request of the side that did this, and that fits.
func wantRequest(t *testing.T, side experiment.Side, what, problem string, fits func(experiment.Request) bool) {
	t.Helper()
	i := slices.IndexFunc(side.Requests, func(r experiment.Request) bool { return strings.HasPrefix(r.What, what) })
	if i < 0 {
		t.Errorf("nobody %s; the requests are %+v", what, side.Requests)
		return
	}
	if !fits(side.Requests[i]) {
		t.Errorf("the request that %s is %+v, want %s", what, side.Requests[i], problem)
	}
}

func TestEachExperimentKeepsItsPromiseAndTheUsualWayDoesNot(t *testing.T) {
	onEachStore(t, func(t *testing.T, store trace.Backend) {
		for _, e := range experiment.All {
			report := run(t, e.Name, store)
			if !report.Ours.Kept || report.Usual.Kept {
				t.Errorf("%s: ours %+v, usual %+v; want the promise kept, and not kept", e.Name, report.Ours,
					report.Usual)
			}
		}
	})
}

func TestAnExperimentLeavesNothingInTheStoreAndTouchesNobody(t *testing.T) {
	onEachStore(t, func(t *testing.T, store trace.Backend) {
		rec := &session.Record{ID: "hers", User: "ada", UserAgent: "Mozilla/5.0 (iPhone) Version/18.5 Safari/604.1"}
		if err := store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		for _, e := range experiment.All {
			run(t, e.Name, store)
		}
		recs, err := store.Page(t.Context(), "", 100)
		if err != nil || len(recs) != 1 || recs[0].ID != "hers" || recs[0].Kind != session.KindLive {
			t.Errorf("the store holds %+v, %v; want ada's own session alone", recs, err)
		}
	})
}

func TestFortyClicksAllCount(t *testing.T) {
	report := run(t, "clicks", memstore.New(memstore.Options{}))
	if n := len(report.Ours.Requests); n != 42 {
		t.Errorf("%d requests, want forty clicks, a sign-in and a look", n)
	}
	if !strings.HasPrefix(report.Ours.Says, "40 of 40") || !strings.HasPrefix(report.Usual.Says, "1 of 40") {
		t.Errorf("ours %q, usual %q", report.Ours.Says, report.Usual.Says)
	}
}

func TestTheSlowRequestIsRefusedAfterTheSignOut(t *testing.T) {
	report := run(t, "sign-out", memstore.New(memstore.Options{}))
	wantRequest(t, report.Ours, "opens a slow page", "409 without a cookie", func(r experiment.Request) bool {
		return r.Status == 409 && r.Cookie == "none"
	})
	wantRequest(t, report.Ours, "signs out", "the cookie deleted", func(r experiment.Request) bool {
		return r.Cookie == "deleted" && r.ID == "ended"
	})
	wantRequest(t, report.Usual, "opens the next page", "ada signed in again", func(r experiment.Request) bool {
		return strings.HasPrefix(r.Says, "ada")
	})
}

func TestWhileTheStoreIsOffThereIsA503AndNoCookie(t *testing.T) {
	report := run(t, "outage", memstore.New(memstore.Options{}))
	for _, what := range []string{"opens a page while", "clicks; the store"} {
		wantRequest(t, report.Ours, what, "503 without a cookie", func(r experiment.Request) bool {
			return r.Status == 503 && r.Cookie == "none" && r.ID == "unknown"
		})
	}
	wantRequest(t, report.Ours, "opens a page when", "ada's click", func(r experiment.Request) bool {
		return r.Says == "ada, 1 click"
	})
}

func TestTheCopiedTicketIsReportedAndOpensNothing(t *testing.T) {
	report := run(t, "copied-ticket", memstore.New(memstore.Options{}))
	wantRequest(t, report.Ours, "opens a page two minutes", "the event reused", func(r experiment.Request) bool {
		return r.Says == "a stranger" && slices.Contains(r.Events, "reused") && r.Cookie == "none"
	})
	wantRequest(t, report.Ours, "opens a page at the same moment", "the new ticket", func(r experiment.Request) bool {
		return r.ID == "changed" && r.Cookie == "sent" && len(r.Calls) == 2
	})
}

func TestStolenCookiesOfABoundSessionOpenNothingForLong(t *testing.T) {
	report := run(t, "stolen-cookies", memstore.New(memstore.Options{}))
	wantRequest(t, report.Ours, "registers its key", "the event bound", func(r experiment.Request) bool {
		return r.Status == 200 && slices.Contains(r.Events, "bound")
	})
	wantRequest(t, report.Ours, "opens a page at once", "ada, for a while", func(r experiment.Request) bool {
		return strings.HasPrefix(r.Says, "ada")
	})
	wantRequest(t, report.Ours, "opens a page twelve minutes", "a stranger", func(r experiment.Request) bool {
		return r.Says == "a stranger" && r.Cookie == "none" && slices.Contains(r.Events, "skipped")
	})
	wantRequest(t, report.Ours, "is asked for its key", "403", func(r experiment.Request) bool {
		return r.Status == 403
	})
	wantRequest(t, report.Ours, "shows its key", "the event proved", func(r experiment.Request) bool {
		return r.Status == 200 && slices.Contains(r.Events, "proved")
	})
	if len(report.Usual.Requests) != 4 {
		t.Errorf("the usual way has %+v, want no requests for keys", report.Usual.Requests)
	}
}

func TestTheNewReleaseLosesOneValueForAsLongAsItRuns(t *testing.T) {
	report := run(t, "deploy", memstore.New(memstore.Options{}))
	wantRequest(t, report.Ours, "opens a page of the new", "the event undecodable", func(r experiment.Request) bool {
		return r.Says == "ada, with an empty cart" && slices.Contains(r.Events, "undecodable")
	})
	wantRequest(t, report.Ours, "opens a page of the old", "the cart", func(r experiment.Request) bool {
		return r.Says == "ada, with the cart"
	})
}

func TestThreeDevicesAreListedAndOneIsEnded(t *testing.T) {
	report := run(t, "devices", memstore.New(memstore.Options{}))
	wantRequest(t, report.Ours, "lists", "three devices", func(r experiment.Request) bool {
		return strings.Count(r.Says, ",") == 2 && slices.Contains(r.Calls, "list")
	})
	wantRequest(t, report.Ours, "opens a page", "a stranger", func(r experiment.Request) bool {
		return r.Says == "a stranger"
	})
}

// broken is a store that is down.
type broken struct{ trace.Backend }

func (broken) Load(context.Context, string) (*session.Record, error) { return nil, errors.New("down") }
func (broken) Save(context.Context, *session.Record) error           { return errors.New("down") }

func TestAnExperimentOnABrokenStoreSaysThatItShowsNothing(t *testing.T) {
	for _, e := range experiment.All {
		report, err := e.Run(t.Context(), broken{memstore.New(memstore.Options{})})
		if err == nil || !strings.Contains(err.Error(), "nobody could sign in") {
			t.Errorf("%s on a broken store: %+v, %v; want an error", e.Name, report, err)
		}
	}
}

func TestAnExperimentEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, e := range experiment.All {
		if _, err := e.Run(ctx, memstore.New(memstore.Options{})); !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want the context's error", e.Name, err)
		}
	}
}
