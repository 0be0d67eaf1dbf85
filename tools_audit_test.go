package session_test

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
)

// warnings are the names of the findings that did not pass.
func warnings(t *testing.T, m *session.Manager) []string {
	t.Helper()
	var names []string
	seen := map[string]bool{}
	for _, f := range m.Audit() {
		if f.Name == "" || f.Advice == "" || seen[f.Name] {
			t.Errorf("finding %+v", f)
		}
		if seen[f.Name] = true; !f.Pass {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// good are options that follow every practice.
func good(o *session.Options) {
	o.RenewEvery, o.RequireSealed, o.SweepEvery = time.Hour, true, time.Hour
}

// Each practice that the options leave is a warning, which names the option to change; nothing else is.
func TestAuditWarnsOfEachPracticeThatIsLeft(t *testing.T) {
	if got := warnings(t, newRig(t, good).Manager); got != nil {
		t.Errorf("good options: %v", got)
	}
	for name, c := range map[string]struct {
		change func(*session.Options)
		want   []string
		option string
	}{
		"insecure": {func(o *session.Options) { o.Cookie.Insecure = true },
			[]string{"cookie-host-prefix", "cookie-secure"}, "Cookie.Insecure"},
		"script access": {func(o *session.Options) { o.Cookie.ScriptAccess = true }, []string{"cookie-httponly"},
			"Cookie.ScriptAccess"},
		"none": {func(o *session.Options) { o.Cookie.SameSite = http.SameSiteNoneMode },
			[]string{"cookie-partitioned", "cookie-samesite"}, "Cookie.Partitioned"},
		"none partitioned": {func(o *session.Options) {
			o.Cookie.SameSite, o.Cookie.Partitioned = http.SameSiteNoneMode, true
		}, []string{"cookie-samesite"}, "Cookie.SameSite"},
		"plain name": {func(o *session.Options) { o.Cookie.Name = "sid" }, []string{"cookie-host-prefix"},
			"Cookie.Name"},
		"former plain": {func(o *session.Options) { o.Cookie.FormerNames = []string{"__Host-x", "sid"} },
			[]string{"cookie-host-prefix"}, "Cookie.Name"},
		"former prefixed": {func(o *session.Options) { o.Cookie.FormerNames = []string{"__Host-x"} }, nil, ""},
		"domain": {func(o *session.Options) { o.Cookie.Domain = "example.com" },
			[]string{"cookie-domain", "cookie-host-prefix"}, "Cookie.Domain"},
		"path": {func(o *session.Options) { o.Cookie.Path = "/app" },
			[]string{"cookie-host-prefix", "cookie-path"}, "Cookie.Path"},
		"no idle timeout": {func(o *session.Options) { o.IdleTimeout = -1 }, []string{"idle-timeout"}, "IdleTimeout"},
		"no lifetime": {func(o *session.Options) { o.Lifetime = -1 },
			[]string{"absolute-lifetime", "assurance-clocks"}, "Lifetime"},
		"neither": {clocks(-1, -1), []string{"absolute-lifetime", "assurance-clocks", "idle-timeout"},
			"IdleTimeout"},
		"a long lifetime": {clocks(0, 31*day), []string{"assurance-clocks"}, "Lifetime"},
		"no renewal":      {func(o *session.Options) { o.RenewEvery = 0 }, []string{"id-renewal"}, "RenewEvery"},
		"seal only": {func(o *session.Options) { o.RequireSealed, o.Seal = false, true },
			[]string{"unsealed-refused"}, "RequireSealed"},
		"no seal": {func(o *session.Options) { o.RequireSealed = false },
			[]string{"sealed-at-rest", "unsealed-refused"}, "Seal"},
		"no sweeper": {func(o *session.Options) { o.SweepEvery = -1 }, []string{"expired-removed"}, "SweepEvery"},
		"nobody watches": {func(o *session.Options) { o.OnEvent, o.Logger = nil, slog.New(slog.DiscardHandler) },
			[]string{"events-watched"}, "OnEvent"},
		"slog.Default":     {func(o *session.Options) { o.OnEvent = nil }, nil, ""},
		"a logger watches": {func(o *session.Options) { o.OnEvent, o.Logger = nil, slog.Default() }, nil, ""},
		"header transport": {func(o *session.Options) {
			o.Transport, o.Cookie.Insecure, o.Cookie.ScriptAccess = session.Header("X-Session"), true, true
		}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newRig(t, good, c.change).Manager
			if got := warnings(t, m); !slices.Equal(got, c.want) {
				t.Errorf("warnings %v, want %v", got, c.want)
			}
			for _, f := range m.Audit() {
				if slices.Contains(c.want, f.Name) && strings.HasPrefix(f.Advice, c.option) {
					return
				}
			}
			if c.option != "" {
				t.Errorf("no warning names %s", c.option)
			}
		})
	}
}

// What passed is told as a fact: advice would read as if it were to be followed.
func TestAuditTellsFactsOfWhatPassed(t *testing.T) {
	for _, m := range []*session.Manager{
		newRig(t, good).Manager,
		newRig(t, good, func(o *session.Options) { o.Transport = session.Header("X-Session") }).Manager,
	} {
		for _, f := range m.Audit() {
			if before, _, advises := strings.Cut(f.Advice, ": "); f.Pass && advises {
				t.Errorf("%s passed, and still advises about %s: %s", f.Name, before, f.Advice)
			}
		}
	}
}

// A store that cannot list or sweep is told too.
func TestAuditTellsWhatTheStoreCannot(t *testing.T) {
	opts := session.Options{Secrets: []session.Secret{testSecret}, OnEvent: (&events{}).add}
	good(&opts)
	m, err := session.New(nullstore.New(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if got, want := warnings(t, m), []string{"expired-removed", "sessions-can-be-listed"}; !slices.Equal(got, want) {
		t.Errorf("warnings %v, want %v", got, want)
	}
}

// The zero options are the safe ones, as far as they can be without knowing the application.
func TestAuditOfTheZeroOptions(t *testing.T) {
	m, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for _, name := range warnings(t, m) {
		if strings.HasPrefix(name, "cookie-") || strings.Contains(name, "timeout") ||
			strings.Contains(name, "lifetime") {
			t.Errorf("the zero options warn of %s", name)
		}
	}
}
