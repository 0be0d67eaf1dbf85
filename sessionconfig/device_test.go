package sessionconfig_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sessiontest"
)

func TestEveryKeyOfDeviceBoundReachesItsOption(t *testing.T) {
	cfg := load(t, "testdata/complete.yaml")
	if cfg.DeviceBound == nil {
		t.Fatal("there are no options")
	}
	want := "{Policy:1 RegisterPath:/shop/device/register RefreshPath:/shop/device/refresh " +
		"CookieName:__Host-shop-device SameSite:3 Lifetime:5m0s Grace:20s PendingFor:2m0s RSA:true " +
		"Exclude:[/shop/static /shop/icons] RefreshInitiators:[*.example.com] Origin:https://shop.example.com " +
		"ClearSiteData:true Refuse:<nil>}"
	if got := fmt.Sprintf("%+v", *cfg.DeviceBound); got != want {
		t.Errorf("the options are %s, want %s", got, want)
	}
}

// boundSite is a site of a configuration, as a program makes it.
func boundSite(t *testing.T, cfg *sessionconfig.Config) (http.Handler, *session.Manager) {
	t.Helper()
	m, closer, err := cfg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	mux := http.NewServeMux()
	mux.Handle("/login", m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada")
	}))
	mux.Handle("/", m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Fprint(w, s.User(), " ", devicebound.StateOf(s))
	}))
	h, err := cfg.Bind(m, mux)
	if err != nil {
		t.Fatal(err)
	}
	return h, m
}

func TestBindBindsSessionsAsTheKeysSay(t *testing.T) {
	now := time.Now()
	for content, want := range map[string][2]string{ // what the owner and a thief get an hour later
		"":                               {"ada none", "ada none"},
		"device_bound: {policy: off}":    {"ada none", "ada none"},
		"device_bound: {policy: 'OFF'}":  {"ada none", "ada none"},
		"device_bound: {rsa: true}":      {"ada bound", "ada bound"},
		"device_bound: {policy: prefer}": {"ada bound", "ada bound"},
		"device_bound: {policy: enforce, lifetime: 2m, grace: none}": {"ada bound", " none"},
		"device_bound: {policy: require}":                            {"ada bound", " none"},
	} {
		cfg := load(t, yaml(t, "store: memory\n"+content+"\n"))
		at := now
		cfg.Options.Now = func() time.Time { return at }
		h, m := boundSite(t, cfg)
		b := sessiontest.NewBrowser(t, m.Now, h)
		b.Get("/login")
		thief := b.Copy()
		at = at.Add(time.Hour)
		for i, client := range []*sessiontest.Browser{b, thief} {
			text, err := io.ReadAll(client.Get("/").Body)
			if err != nil || string(text) != want[i] {
				t.Errorf("%q: client %d sees %q, %v, want %q", content, i, text, err, want[i])
			}
		}
	}
}

func TestAVariableSwitchesTheBindingOff(t *testing.T) {
	t.Setenv("SESSION_DEVICE_BOUND__POLICY", "off")
	cfg := load(t, yaml(t, "store: memory\ndevice_bound: {policy: require, lifetime: 1m}\n"))
	if cfg.DeviceBound != nil {
		t.Errorf("the options are %+v, want none", cfg.DeviceBound)
	}
}

func TestMistakesInTheKeysOfDeviceBoundAreExplained(t *testing.T) {
	for _, row := range []struct{ content, want string }{
		{"policy: strict", `device_bound.policy: found "strict"`},
		{"lifetime: 10", "a number needs its unit"},
		{"lifetime: 48h", `device_bound.lifetime: found "48h": 48h0m0s is not between 1s and 24h0m0s`},
		{"lifetime: -1s", "device_bound.lifetime"},
		{"lifetime: 36500d", "device_bound.lifetime"},
		{"grace: 1h", "device_bound.grace: found \"1h\": 1h0m0s is longer than Lifetime"},
		{"pending_for: 6m", "device_bound.pending_for"},
		{"register_path: x", "device_bound.register_path"},
		{"refresh_path: /device-bound/register", "device_bound.refresh_path"},
		{"cookie_name: bound", "device_bound.cookie_name"},
		{"same_site: some", "device_bound.same_site"},
		{"exclude: [/]", "device_bound.exclude"},
		{"refresh_initiators: ['a b']", "device_bound.refresh_initiators"},
		{"origin: http://a.example", "device_bound.origin"},
		{"polcy: enforce", "did you mean policy?"},
		{"rsa: perhaps", "device_bound.rsa"},
		{"policy: enforce}\ntransport: header X-Session\nlog: {format: none", "only cookies are bound to a device"},
		{"policy: enforce}\ncookie: {path: /shop", "device_bound.register_path: it must lie below cookie.path"},
	} {
		t.Setenv("SESSION_SECRETS", secret)
		_, err := sessionconfig.Load(yaml(t, "store: memory\ndevice_bound: {"+row.content+"}\n"))
		if err == nil || !strings.Contains(err.Error(), row.want) ||
			strings.Contains(err.Error(), "devicebound.Options") {
			t.Errorf("%s: %v, want %q", row.content, err, row.want)
		}
	}
}

func TestPlainHTTPWithDeviceBoundIsWarnedOf(t *testing.T) {
	cfg := load(t, yaml(t, "store: memory\ncookie: {insecure: true}\ndevice_bound: {policy: enforce}\n"))
	if text := strings.Join(cfg.Warnings(), "\n"); !strings.Contains(text, "device_bound: browsers bind sessions") {
		t.Errorf("the warnings are %s", text)
	}
}
