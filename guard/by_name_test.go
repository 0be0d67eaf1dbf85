package guard_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// Two limits without a name are both called "default". The one that forgives sooner must not forgive what the other has
// counted, which neither limit would show.
func TestTwoLimitsOfStrangersDoNotShareAName(t *testing.T) {
	account := guard.Account(byUser)
	slow := guard.Limit{By: account, Requests: 3, Per: 24 * time.Hour}
	for name, tt := range map[string]struct {
		other guard.Limit
		ok    bool
	}{
		"other numbers":    {guard.Limit{By: account, Requests: 100, Per: time.Minute}, false},
		"another burst":    {guard.Limit{By: account, Requests: 3, Per: 24 * time.Hour, Burst: 1}, false},
		"another By":       {guard.Limit{By: guard.Address, Requests: 3, Per: 24 * time.Hour}, false},
		"the same":         {slow, true},
		"a name":           {guard.Limit{Name: "other", By: guard.Address, Requests: 100, Per: time.Minute}, true},
		"one of a session": {guard.Limit{Requests: 100, Per: time.Minute}, true},
	} {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, nil))
		r := newRig(t, guard.Options{}, func(o *session.Options) { o.Logger = logger })
		first, second := r.Rate(slow)(inside), r.Rate(tt.other)(inside)
		post := func(h http.Handler) int { return r.visitor().post(h, "/", url.Values{"user": {"ann"}}).Code }
		got := post(second)
		if (got == 200) != tt.ok || tt.ok == strings.Contains(log.String(), `Limit.Name: \"default\" is the name`) {
			t.Errorf("%s: status %d, and the log says %s", name, got, log.String())
		}
		passed := 0
		for range 10 {
			if post(first) == 200 {
				passed++
			}
			r.clock.advance(time.Minute)
			post(second)
		}
		if passed != 3 && name != "the same" {
			t.Errorf("%s: %d of 3 requests a day passed", name, passed)
		}
	}
}

func TestALimitByAccountNeedsAFunction(t *testing.T) {
	l := guard.Limit{By: guard.Account(nil), Requests: 1, Per: time.Hour}
	if err := l.Check(); err == nil || !strings.Contains(err.Error(), "Limit.By") {
		t.Errorf("Check = %v, want an error that names Limit.By", err)
	}
	if w := from(newRig(t, guard.Options{}).Rate(l)(inside), "192.0.2.1"); w.Code != 500 {
		t.Errorf("status %d, want 500", w.Code)
	}
}
