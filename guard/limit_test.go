package guard_test

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
)

// forgetting are stores that a count would vanish from, and what the refusal says of each.
func forgetting(t *testing.T) map[string]session.Store {
	t.Helper()
	cookies, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bounded := memstore.New(memstore.Options{MaxSessions: 10})
	return map[string]session.Store{
		"*memstore.Store drops records when it is full (memstore.Options.MaxSessions)": bounded,
		"guard_test.broken drops records when it is full":                              broken{bounded},
		"*nullstore.Store keeps nothing":                                               nullstore.New(),
		"*cookiestore.Store keeps nothing (cookiestore.Options.Revocations)":           cookies,
		"*memstore.Store is nil":                                                       (*memstore.Store)(nil),
	}
}

// A count that is forgotten is a limit that is off, and any stranger can bring that about.
func TestALimitRefusesAStoreThatForgets(t *testing.T) {
	for why, store := range forgetting(t) {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, nil))
		r := newRig(t, guard.Options{}, func(o *session.Options) { o.Logger = logger })
		l := guard.Limit{Requests: 2, Per: time.Hour, Users: store}
		if err := l.Check(); err == nil || !strings.Contains(err.Error(), "guard: Limit.Users: "+why) {
			t.Errorf("Check of %T = %v, want an error that says that a %s", store, err, why)
		}
		h := r.Rate(l)(inside)
		for name, v := range map[string]*visitor{"a user": r.signIn("ada"), "a stranger": r.visitor()} {
			if w := v.get(h, "/"); w.Code != 500 || strings.Contains(w.Body.String(), "store") {
				t.Errorf("%T: %s gets %d, %q, want the failure and nothing of why", store, name, w.Code, w.Body)
			}
		}
		if strings.Count(log.String(), "Limit.Users: "+why) != 2 {
			t.Errorf("%T: the log does not say for each request what to change: %s", store, log.String())
		}
	}
}

func TestALimitAcceptsAStoreThatKeepsEveryRecord(t *testing.T) {
	cookies, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, cookies, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
	l := guard.Limit{Requests: 2, Per: time.Hour, Users: cookies}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	h := r.Rate(l)(inside)
	first, second := r.signIn("ada"), r.signIn("ada")
	wantInside(t, first.get(h, "/"))
	wantInside(t, second.get(h, "/"))
	wantProblem(t, first.get(h, "/", asJSON), 429, guard.TooMany)
	if err := (guard.Limit{}).Check(); err != nil {
		t.Errorf("Check of a limit of sessions = %v", err)
	}
}

// Strangers who fill the store of the sessions take nobody's count along, of a session or of a user.
func TestTheLimitIsExactWhileStrangersFloodTheSessions(t *testing.T) {
	sessions, counts := memstore.New(memstore.Options{MaxSessions: 8}), memstore.New(memstore.Options{})
	r := newRigOn(t, sessions, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
	byUser := r.Rate(guard.Limit{Name: "user", Requests: 3, Per: time.Hour, Users: counts})(inside)
	bySession := r.Rate(guard.Limit{Name: "session", Requests: 3, Per: time.Hour})(inside)
	phone, desk := r.signIn("ada"), r.signIn("ada")
	passed := map[string]int{}
	for range 10 {
		for range 10 {
			r.visitor().with(func(s *session.Session) { s.Set("cart", 1) })
		}
		for name, send := range map[string]func() int{
			"ada":   func() int { return []*visitor{phone, desk}[passed["ada"]%2].get(byUser, "/").Code },
			"phone": func() int { return phone.get(bySession, "/").Code },
		} {
			if send() == http.StatusOK {
				passed[name]++
			}
		}
	}
	if passed["ada"] != 3 || passed["phone"] != 3 {
		t.Errorf("passed %v, want 3 of each", passed)
	}
}

// Numbers at the end of their range neither overflow nor let nobody through who may pass.
func TestALimitBeyondAllRangeSaturates(t *testing.T) {
	for _, tt := range []struct {
		l    guard.Limit
		pass int // of 5
	}{
		{guard.Limit{Requests: math.MaxInt, Per: time.Millisecond}, 5},
		{guard.Limit{Requests: math.MaxInt, Per: math.MaxInt64, Burst: math.MaxInt}, 5},
		{guard.Limit{Requests: 1, Per: time.Hour, Burst: math.MaxInt}, 5},
		{guard.Limit{Requests: 1, Per: math.MaxInt64}, 1},
		{guard.Limit{Requests: 1, Per: math.MaxInt64, Burst: math.MaxInt}, 1},
		{guard.Limit{Requests: 3, Per: math.MaxInt64}, 3},
		{guard.Limit{Requests: 4, Per: time.Hour, Burst: math.MinInt}, 4},
		{guard.Limit{Requests: 3_000_000, Per: time.Second, Burst: 2}, 2},
		{guard.Limit{Requests: math.MinInt, Per: math.MinInt64}, 0},
	} {
		r := newRig(t, guard.Options{})
		for name, users := range map[string]session.Store{"a session": nil, "a user": r.store} {
			tt.l.Name, tt.l.Users = name, users
			v, h, passed := r.signIn("ada"), r.Rate(tt.l)(inside), 0
			for range 5 {
				w := v.get(h, "/", asJSON)
				wantInRange(t, w.Header())
				if w.Code == http.StatusOK {
					passed++
				}
			}
			if passed != tt.pass {
				t.Errorf("%s with %+v: %d of 5 passed, want %d", name, tt.l, passed, tt.pass)
			}
		}
	}
}

// wantInRange wants only integers that structured headers can have (RFC 9651, section 3.3.1), none of them negative.
func wantInRange(t *testing.T, h http.Header) {
	t.Helper()
	text := strings.Join(slices.Concat(h["Ratelimit"], h["Ratelimit-Policy"]), ";") + ";a=" + h.Get("Retry-After")
	for param := range strings.SplitSeq(text, ";") {
		if _, number, ok := strings.Cut(param, "="); ok && (len(number) > 15 || strings.HasPrefix(number, "-")) {
			t.Errorf("%q is out of range in %v", param, h)
		}
	}
}

// A lost answer of the store counts: the request is not admitted, and it may have been stored that it was.
func TestACountWhoseAnswerIsLostIsNeverTooLow(t *testing.T) {
	r := newRig(t, guard.Options{})
	lossy := &losing{Store: memstore.New(memstore.Options{})}
	h := r.Rate(guard.Limit{Requests: 2, Per: time.Hour, Users: lossy})(inside)
	v := r.signIn("ada")
	wantInside(t, v.get(h, "/"))
	lossy.lose = true
	if w := v.get(h, "/"); w.Code != 503 {
		t.Errorf("status %d, want 503", w.Code)
	}
	lossy.lose = false
	wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
}

// losing is a store that saves, and whose answer is lost.
type losing struct {
	*memstore.Store
	lose bool
}

func (l *losing) Save(ctx context.Context, rec *session.Record) error {
	if err := l.Store.Save(ctx, rec); err != nil || !l.lose {
		return err
	}
	return context.DeadlineExceeded
}
