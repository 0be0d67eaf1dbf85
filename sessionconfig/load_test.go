package sessionconfig_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// Every key is read, from a file that is shipped as a sample, and an option that no key sets is a function.
func TestEveryOptionHasAKey(t *testing.T) {
	cfg := load(t, "testdata/complete.yaml")
	set := map[string]bool{}
	for _, s := range cfg.Settings() {
		set[s.Key] = true
	}
	options := map[string]bool{"OnError": true, "OnEvent": true, "Now": true} // functions
	for _, key := range sessionconfig.Keys() {
		options[strings.TrimPrefix(key.Option, "Cookie.")] = true
		if !set[key.Name] && !strings.Contains(key.Name, "*") && key.Name != "preset" &&
			!strings.HasPrefix(key.Name, "secrets.") {
			t.Errorf("complete.yaml does not set %s", key.Name)
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[session.Options](), reflect.TypeFor[session.Cookie]()} {
		for i := range typ.NumField() {
			if name := typ.Field(i).Name; name != "Cookie" && !options[name] {
				t.Errorf("no key sets %s.%s", typ.Name(), name)
			}
		}
	}
	o := cfg.Options
	got := fmt.Sprint(o.IdleTimeout, o.Lifetime, o.RenewEvery, o.RenewGrace, o.TouchEvery, o.SweepEvery, o.MaxPerUser,
		o.Overflow, o.MaxBytes, o.Seal, o.RequireSealed)
	if want := "30m0s 168h0m0s 15m0s 10s 20s 10m0s 5 1 65536 true true"; got != want {
		t.Errorf("options %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(o.Cookie),
		"{shop [store __Host-session] example.com /shop 3 false false true true}"; got != want {
		t.Errorf("cookie %s, want %s", got, want)
	}
}

func TestTOMLAndJSONSayTheSame(t *testing.T) {
	for name, content := range map[string]string{
		"session.yaml": "store: memory\nidle_timeout: 45m\nmax_per_user: 3\nskip_headers: [{X-A: b}]\n" +
			"cookie:\n  insecure: true\n",
		"session.yml": "{store: memory, idle_timeout: 45m, max_per_user: 3, " +
			"skip_headers: [{X-A: b}], cookie: {insecure: true}}",
		"session.toml": "store = 'memory'\nidle_timeout = '45m'\nmax_per_user = 3\n" +
			"skip_headers = [{X-A = 'b'}]\n[cookie]\ninsecure = true\n",
		"session.json": `{"store": "memory", "idle_timeout": "45m", "max_per_user": 3, ` +
			`"skip_headers": [{"X-A": "b"}], "cookie": {"insecure": true}}`,
	} {
		cfg := load(t, file(t, name, content))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-A", "b")
		if o := cfg.Options; o.IdleTimeout != 45*time.Minute || o.MaxPerUser != 3 || !o.Cookie.Insecure ||
			o.Skip == nil || !o.Skip(r) || cfg.Store != "memory" {
			t.Errorf("%s gives %+v", name, o)
		}
	}
}

func TestLaterFilesWinAndTheEnvironmentWinsOverAll(t *testing.T) {
	first := yaml(t, "store: memory\nidle_timeout: 10m\nlifetime: 2h\nrenew_every: 5m\n")
	second := first + ".toml"
	if err := os.WriteFile(second, []byte("lifetime = '3h'\nrenew_every = '6m'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SESSION_RENEW_EVERY", "7m")
	t.Setenv("SESSION_COOKIE__SAME_SITE", "strict")
	t.Setenv("SESSION_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")
	t.Setenv("SESSION_SEAL", "true")
	t.Setenv("SESSION_MAX_BYTES", "")                           // not set
	t.Setenv("SESSION_MANAGER", "local/desk:@/tmp/.ICE-unix/1") // a desktop's
	cfg := load(t, first, second)
	o := cfg.Options
	if o.IdleTimeout != 10*time.Minute || o.Lifetime != 3*time.Hour || o.RenewEvery != 7*time.Minute ||
		o.Cookie.SameSite != 3 || !o.Seal || o.ClientIP == nil {
		t.Errorf("options are %+v", o)
	}
	for _, s := range cfg.Settings() {
		want := map[string]string{"lifetime": second, "idle_timeout": first,
			"renew_every": "SESSION_RENEW_EVERY"}[s.Key]
		if want != "" && s.From != want {
			t.Errorf("%s is said to come from %s, want %s", s.Key, s.From, want)
		}
	}
}

func TestTheEnvironmentAloneIsEnough(t *testing.T) {
	t.Setenv("SESSION_STORE", "memory")
	open(t, load(t)).first(t)
}

// Unknown keys and wrong values say where they stand, what was found and what is allowed.
func TestMistakesAreExplained(t *testing.T) {
	for _, row := range []struct {
		content string
		want    []string
	}{
		{"stroe: memory", []string{"session.yaml", "stroe: unknown key", "did you mean store?"}},
		{"cookie: {nmae: x}", []string{"cookie.nmae: unknown key", "did you mean name?"}},
		{"cookie: {zzz: x}", []string{"cookie.zzz: unknown key; the keys here are domain, former_names, insecure"}},
		{"cookie_name: x", []string{"cookie_name", "did you mean cookie.name?"}},
		{"same_site: x", []string{"it is a key of preset expanse"}},
		{"session_cookie_name: x", []string{"it is a key of preset nexios"}},
		{"store: databse", []string{`store: found "databse"`, "did you mean database?",
			"database, file, memory (or dict), cookies, redis, null"}},
		{"store: 7", []string{"store: found 7"}},
		{"idle_timeout: 30", []string{"idle_timeout: found 30", "as in 30m or 30s", "24h"}},
		{"idle_timeout: soon", []string{`found "soon"`, "a duration such as"}},
		{"idle_timeout: 0s", []string{"more than zero"}},
		{"idle_timeout: -5m", []string{"more than zero"}},
		{"lifetime: 40000d", []string{"at most 36500 days"}},
		{"renew_every: never", []string{`found "never"`}},
		{"touch_every: 25h", []string{"touch_every", `found "25h"`, "is not below IdleTimeout"}},
		{"max_per_user: -1", []string{"found -1", "a whole number"}},
		{"max_per_user: 1.5", []string{"found 1.5"}},
		{"max_bytes: 1TiB", []string{"1MiB"}},
		{"max_bytes: 99999999999", []string{"max_bytes"}},
		{"seal: maybe", []string{`found "maybe"`, "true or false"}},
		{"overflow: evict", []string{"evict_oldest or refuse_new"}},
		{"trusted_proxies: [10.0.0.0/8, nowhere]", []string{`"nowhere" is neither`}},
		{"skip_headers: 5", []string{"skip_headers: found 5"}},
		{"skip_headers: {}", []string{"a group of keys"}},
		{"skip_headers: [{header_value: x}]", []string{"skip_headers"}},
		{"cookie: yes please", []string{"it is a group with the keys name, former_names, domain"}},
		{"cookie: {same_site: sloppy}", []string{"lax, strict or none"}},
		{"transport: haeder X", []string{"did you mean header?"}},
		{`transport: "header X Y"`, []string{"transport", "is not the name of a header"}},
		{"codec: jsn", []string{"did you mean json?"}},
		{"preset: django", []string{"nexios, expanse or authx"}},
		{"log: {format: xml}", []string{"none, text or json"}},
		{"stores: {unregistered: {a: 1}}", []string{"stores.unregistered: unknown key", "Register"}},
		{"connections: {a: {driver: oracle}}", []string{"sqlite, postgresql, mysql"}},
		{"connections: {a: {drivr: mysql}}", []string{"connections.a.drivr", "did you mean driver?"}},
		{"store: file", []string{"stores.file.path", "needs a folder"}},
		{"store: database", []string{"there are no connections"}},
		{"store: database\nconnections: {a: {driver: redis, dsn: x}}\nstores: {database: {connection: a}}",
			[]string{"connections.a.driver", "this store needs sqlite, postgresql or mysql"}},
		{"store: database\nconnections: {a: {driver: mysql}}", []string{"connections.a", "set dsn"}},
		{"store: database\nconnections: {a: {driver: mysql, path: x}}", []string{"only SQLite takes a path"}},
		{"store: database\nconnections: {a: {driver: sqlite, path: x}, b: {driver: sqlite, path: y}}",
			[]string{"choose one of the connections a or b"}},
		{"store: [", []string{"not well-formed"}},
		{"a.b: 1", []string{"a.b: unknown key"}},
	} {
		wants(t, refused(t, row.content), row.want...)
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	path := yaml(t, "stroe: memory\ncookie: {same_site: x}\nidle_timeout: 1\n")
	t.Setenv("SESSION_COOKIE__NMAE", "x")
	t.Setenv("SESSION_SECRET", "x")
	_, err := sessionconfig.Load(path, "absent.yaml", "session.ini", "")
	if err == nil {
		t.Fatal("it was loaded")
	}
	wants(t, err.Error(), "stroe", "cookie.same_site", "idle_timeout", "environment: SESSION_COOKIE__NMAE: unknown "+
		"key; did you mean name?",
		"SESSION_SECRET: unknown key; did you mean SESSION_SECRETS?", "absent.yaml: there is no such file",
		"session.ini: the name must end in", "the path of a configuration file is empty; name a file")
	var p *sessionconfig.Problem
	if !errors.As(err, &p) || p.Source == "" || p.Want == "" {
		t.Errorf("errors.As gives %+v", p)
	}
}

func TestAWrongOptionIsToldUnderTheNameOfItsKey(t *testing.T) {
	t.Setenv("SESSION_COOKIE__NAME", "a b")
	_, err := sessionconfig.Load(yaml(t, "store: memory\ncookie: {domain: 'x y', path: shop}"))
	if err == nil {
		t.Fatal("it was loaded")
	}
	wants(t, err.Error(), `SESSION_COOKIE__NAME: cookie.name: found "a b"`, `session.yaml: cookie.domain: found "x y"`,
		`cookie.path: found "shop"`)
}

// Without any configuration the error says what to do.
func TestNothingConfiguredIsExplained(t *testing.T) {
	cfg, err := sessionconfig.Load()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = cfg.Open(t.Context())
	if err == nil {
		t.Fatal("it was opened")
	}
	wants(t, err.Error(), "SESSION_SECRETS", "coatcheck key generate")
	_, _, err = load(t).Open(t.Context())
	if err == nil {
		t.Fatal("it was opened")
	}
	wants(t, err.Error(), "the key store is not set", "database, file, memory")
}

// What holds can be asked for, and no secret is in it.
func TestSettingsShowNoSecret(t *testing.T) {
	t.Setenv("SESSION_CONNECTIONS__MAIN__DSN", "app:canary@tcp(db)/app")
	t.Setenv("SESSION_SECRETS", secret)
	cfg := load(t,
		yaml(t, "preset: authx\nsecret_key: canary-canary-canary-canary-canary\nstore: memory\nconnections: {main: "+
			"{driver: mysql}}"))
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", cfg, *cfg, cfg), fmt.Sprint(cfg.Settings()),
		fmt.Sprint(cfg.Warnings())} {
		if strings.Contains(text, "canary") || strings.Contains(text, secret[8:]) {
			t.Errorf("a secret is in %d bytes of text", len(text))
		}
	}
	wants(t, fmt.Sprint(cfg.Settings()), "{connections.main.dsn [secret] SESSION_CONNECTIONS__MAIN__DSN}",
		"{secrets [secret] SESSION_SECRETS}")
}

func TestAnErrorShowsNoSecret(t *testing.T) {
	for _, content := range []string{
		"secrets: canary",
		"store: memory\nsecrets: {value: canary}",
		"preset: authx\nsecret_key: [canary]",
		"connections: {a: {driver: mysql, dsn: [canary]}}",
		"store: database\nconnections: {a: {driver: mysql, dsn: {canary: 1}}}",
		"secrets: {env: 'base64:canary='}",
		"secrets: {env: 'base64:canary'}",
		"secrets: {file: 'base64:canary='}",
		"secrets: {command: 'base64:canary='}",
		"secrets: {command: ['base64:canary=']}",
		"secrets: {env: 'my canary'}",
		"secrets: {reload: 'base64:canary='}",
		"connections: {main: 'postgres://app:canary@db/app'}",
		"connections: {main: 'app:canary@tcp(db)/app'}",
		"connections: 'host=db user=app password=canary'",
		"connections: {main: {driver: 'postgres://app:canary@db/app'}}",
		"connections: {main: {path: 'postgres://app:canary@db/app'}}",
		"connections: {main: {dsn_env: 'postgres://app:canary@db/app'}}",
		"connections: {main: {dsn_env: 'app:canary@tcp(db)/app'}}",
		"connections: {main: {dsn_env: 'host=db password=canary'}}",
		"connections: {main: {dsn_file: 'redis://:canary@db/0'}}",
		"connections: {main: {dsn_file: 'host=db password=canary'}}",
		"connections: {main: {dsn_file: 'app:canary/x@/db'}}",
		"connections: {main: {dsn_command: 'postgres://app:canary@db/app'}}",
		"connections: {main: {dsn_command: 'app:canary@tcp(db)/app'}}",
		"connections: {main: {dsn_command: 'host=db password=canary'}}",
		"store: database\nconnections: {a: {driver: mysql, dsn: x}}\nstores: {database: {connection: " +
			"'postgres://app:canary@db/app'}}",
		"store: 'postgres://app:canary@db/app'",
		"stores: {redis: 'redis://app:canary@db/app'}",
	} {
		if text := refused(t, content); strings.Contains(strings.ReplaceAll(text, "secrets.canary", ""), "canary") {
			t.Errorf("%q gives %q", content, text)
		}
	}
	for driver, dsn := range map[string]string{"mysql": "app:canary@nowhere",
		"postgresql": "postgres://app:canary@[::1/x", "redis": "redis://app:canary@%zz"} {
		store := map[bool]string{true: "redis", false: "database"}[driver == "redis"]
		cfg := load(t, yaml(t, fmt.Sprintf("store: %s\nconnections: {a: {driver: %s, dsn: %q}}", store, driver, dsn)))
		_, _, err := cfg.Open(t.Context())
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s gives %v, want an error without the password", driver, err)
		} else {
			wants(t, err.Error(), "connections.a")
		}
	}
}
