package sessionconfig_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/sessionconfig"
)

func TestEveryKeyOfGuardReachesItsOption(t *testing.T) {
	cfg := load(t, "testdata/complete.yaml")
	want := "{Attempts:5 Wait:30s Forgive:12h0m0s AddressAttempts:50 KnownFor:2160h0m0s Store:<nil>} 24 56 5m0s"
	if got := fmt.Sprintf("%+v %d %d %v", cfg.Guard.SignIn, cfg.Guard.IPv4Prefix, cfg.Guard.IPv6Prefix,
		cfg.Guard.EndWithin); got != want {
		t.Errorf("the options are %s, want %s", got, want)
	}
	program := guard.Limit{Requests: 7, Per: time.Second, Burst: 2, By: guard.Address}
	for name, want := range map[string]string{
		"": "60 1m0s 10", "default": "60 1m0s 10", "sign-up": "3 24h0m0s 2", "search": "7 1s 2",
	} {
		l := program
		l.Name = name
		l = cfg.Limit(l)
		if got := fmt.Sprint(l.Requests, l.Per, l.Burst); got != want || l.Name != name || l.By != guard.Address {
			t.Errorf("the limit %q is %+v, want %s", name, l, want)
		}
	}
}

func TestANeverReachesTheGuard(t *testing.T) {
	if cfg := load(t, yaml(t, "store: memory\nguard: {end_within: never}\n")); cfg.Guard.EndWithin != session.Never {
		t.Errorf("EndWithin is %v, want never", cfg.Guard.EndWithin)
	}
}

// A variable finds the limit of a file whose name has a hyphen.
func TestAVariableSetsTheNumbersOfALimit(t *testing.T) {
	t.Setenv("SESSION_GUARD__LIMITS__SIGN_UP__REQUESTS", "9")
	t.Setenv("SESSION_GUARD__LIMITS__MAIL__PER", "2h")
	t.Setenv("SESSION_GUARD__SIGN_IN__ATTEMPTS", "3")
	cfg := load(t, yaml(t, "store: memory\nguard: {limits: {sign-up: {requests: 3, per: 1d}}}\n"))
	if l := cfg.Limit(guard.Limit{Name: "sign-up"}); l.Requests != 9 || l.Per != 24*time.Hour {
		t.Errorf("the limit is %+v", l)
	}
	if l := cfg.Limit(guard.Limit{Name: "mail", Requests: 1}); l.Requests != 1 || l.Per != 2*time.Hour {
		t.Errorf("the limit is %+v", l)
	}
	if cfg.Guard.SignIn.Attempts != 3 {
		t.Errorf("%d attempts, want 3", cfg.Guard.SignIn.Attempts)
	}
}

// attempts is how many of 40 wrong passwords reach the handler of a site with these keys.
func attempts(t *testing.T, keys string) (passed int) {
	t.Helper()
	cfg := load(t, yaml(t, "store: memory\n"+keys+"\n"))
	s := open(t, cfg)
	g, err := guard.New(s.Manager, cfg.Guard)
	if err != nil {
		t.Fatal(err)
	}
	form := g.SignIn(func(r *http.Request) string { return r.PostFormValue("user") })(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { passed++ }))
	for i := range 40 {
		r := httptest.NewRequest(http.MethodPost, "https://app.example.com/login",
			strings.NewReader(url.Values{"user": {"ann"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i)
		form.ServeHTTP(httptest.NewRecorder(), r)
	}
	return passed
}

func TestTheKeysOfSignInLimitAttempts(t *testing.T) {
	for keys, want := range map[string]int{
		"":                                10,
		"guard: {sign_in: {attempts: 0}}": 10,
		"guard: {sign_in: {attempts: 3}}": 3,
		"guard: {sign_in: {address_attempts: 5}, ipv4_prefix: 24}": 1,
	} {
		if got := attempts(t, keys); got != want {
			t.Errorf("%s: %d attempts passed, want %d", keys, got, want)
		}
	}
}

func TestMistakesInTheKeysOfGuardAreExplained(t *testing.T) {
	for _, row := range []struct{ content, want string }{
		{"sign_in: {attempts: -1}", `guard.sign_in.attempts: found -1: use a whole number, 0 or more`},
		{"sign_in: {attempts: many}", "guard.sign_in.attempts"},
		{"sign_in: {attempts: 1.5}", "guard.sign_in.attempts"},
		{"sign_in: {attempts: 99999999999}", "guard.sign_in.attempts"},
		{"sign_in: {wait: 60}", "a number needs its unit"},
		{"sign_in: {wait: 0s}", "guard.sign_in.wait: found \"0s\": it must be more than zero"},
		{"sign_in: {wait: 10us}", "guard.sign_in.wait: found \"10us\": it is at least 1ms"},
		{"sign_in: {wait: 48h}", "guard.sign_in.wait: found \"48h\": it must not be longer than Forgive"},
		{"sign_in: {forgive: 30s}", "guard.sign_in.wait: it must not be longer than Forgive"},
		{"sign_in: {forgive: -1h}", "guard.sign_in.forgive"},
		{"sign_in: {known_for: 1ms}", "guard.sign_in.known_for: found \"1ms\": it is at least 1s"},
		{"sign_in: {adress_attempts: 1}", "did you mean address_attempts?"},
		{"ipv4_prefix: 33", "guard.ipv4_prefix: found \"33\": it is at most 32"},
		{"ipv6_prefix: 129", "guard.ipv6_prefix: found \"129\": it is at most 128"},
		{"end_within: -5m", "guard.end_within"},
		{"limits: {search: {requests: 0}}", "guard.limits.search.requests: found 0: use a whole number, 1 or more"},
		{"limits: {search: {per: 60}}", "guard.limits.search.per: found 60: a number needs its unit"},
		{"limits: {search: {burst: -1}}", "guard.limits.search.burst"},
		{"limits: {search: {by: address}}", "guard.limits.search.by: unknown key"},
		{"limits: {search: 5}", "guard.limits.search: found 5: it is a group with the keys"},
	} {
		t.Setenv("SESSION_SECRETS", secret)
		_, err := sessionconfig.Load(yaml(t, "store: memory\nguard: {"+row.content+"}\n"))
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "guard.Options") {
			t.Errorf("%s: %v, want %q", row.content, err, row.want)
		}
	}
}

func TestMoreAttemptsThanAreAllowedAreWarnedOf(t *testing.T) {
	for content, warned := range map[string]bool{"100": false, "101": true} {
		cfg := load(t, yaml(t, "store: memory\nguard: {sign_in: {attempts: "+content+"}}\n"))
		if got := strings.Contains(strings.Join(cfg.Warnings(), "\n"), "guard.sign_in.attempts"); got != warned {
			t.Errorf("%s attempts: warned %v, want %v", content, got, warned)
		}
	}
}
