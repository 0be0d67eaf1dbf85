package sessionconfig_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/coatcheck/session/sessionconfig"
)

// What a pod gets of a Service called session, and of one whose name begins so, is no configuration.
func TestVariablesOfAServiceCalledSessionAreIgnored(t *testing.T) {
	for _, pair := range []string{
		"SERVICE_HOST=10.0.0.7", "SERVICE_PORT=6379", "SERVICE_PORT_REDIS=6379", "PORT=tcp://10.0.0.7:6379",
		"PORT_6379_TCP=tcp://10.0.0.7:6379", "PORT_6379_TCP_PROTO=tcp", "PORT_6379_TCP_PORT=6379",
		"PORT_6379_TCP_ADDR=10.0.0.7",
		"PORT_53_UDP=udp://10.0.0.7:53", "STORE_SERVICE_HOST=10.0.0.8", "STORE_PORT=tcp://10.0.0.8:1",
		"STORE_PORT_1_SCTP_ADDR=10.0.0.8",
	} {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv("SESSION_"+name, value)
	}
	cfg := load(t, yaml(t, "store: file\nstores: {file: {path: kept}}"))
	if got := cfg.Warnings(); len(got) != 0 {
		t.Errorf("they are warned of: %v", got)
	}
}

// A port below stores is one of ours, whatever Kubernetes calls its own.
func TestAVariableWithTwoUnderscoresIsNoService(t *testing.T) {
	t.Setenv("SESSION_STORES__ELSE__PORT", "6379")
	_, err := sessionconfig.Load(yaml(t, "store: memory"))
	if err == nil {
		t.Fatal("it was loaded")
	}
	wants(t, err.Error(), "SESSION_STORES__ELSE: unknown key", "Register")
}

func TestAForeignVariableIsWarnedOf(t *testing.T) {
	for _, name := range []string{"SESSION_ID", "SESSION_TOKEN", "SESSION_COLOUR", "SESSION_FOO__BAR"} {
		t.Setenv(name, "canary")
	}
	var log bytes.Buffer
	cfg := load(t, yaml(t, "store: file\nstores: {file: {path: kept}}\nlog: {format: text}"))
	cfg.Options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	open(t, cfg).first(t)
	for _, text := range []string{strings.Join(cfg.Warnings(), "\n"), log.String()} {
		wants(t, text, "SESSION_COLOUR, SESSION_FOO__BAR, SESSION_ID and SESSION_TOKEN: ignored, because")
		if strings.Contains(text, "canary") {
			t.Errorf("a value is in %q", text)
		}
	}
}

// A name that is nearly one of ours was meant to be it: to go on without would be another configuration than the one
// that was written.
func TestAVariableThatIsNearlyOursIsRefused(t *testing.T) {
	for name, want := range map[string]string{
		"SESSION_SECRET":                "did you mean SESSION_SECRETS?",
		"SESSION_SECRET_FILE":           "did you mean SESSION_SECRETS__FILE?",
		"SESSION_STROE":                 "did you mean SESSION_STORE?",
		"SESSION_LIFETIMES":             "did you mean SESSION_LIFETIME?",
		"SESSION_IDLE_TIME":             "did you mean SESSION_IDLE_TIMEOUT?",
		"SESSION_STORES_DATABASE_TABLE": "did you mean SESSION_STORES__DATABASE__TABLE?",
		"SESSION_STORES_DATABSE_TABLE":  "did you mean SESSION_STORES__DATABASE__TABLE?",
		"SESSION_CONECTIONS__MAIN__DSN": "did you mean SESSION_CONNECTIONS__…?",
		"SESSION_COOKIE__NMAE":          "did you mean name?",
		"SESSION_COOKIE__ZZZ":           "unknown key",
		"SESSION_SAME_SITE":             "it is a key of preset expanse",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "x")
			_, err := sessionconfig.Load(yaml(t, "store: memory"))
			if err == nil {
				t.Fatal("it was loaded")
			}
			wants(t, err.Error(), "environment: "+name+": unknown key", want)
			if n := len(err.Error()); n > 160 {
				t.Errorf("the error has %d bytes: %s", n, err)
			}
		})
	}
}

func TestTheListOfKnownKeysIsToldOnce(t *testing.T) {
	text := refused(t, "store: memory\nqqqqqq: 1\nwwwwww: 2\ncookie: {qqqqqq: 1, wwwwww: 2}\nstroe: memory")
	if n := strings.Count(text, "the keys here are"); n != 2 {
		t.Errorf("there are %d lists of keys, want one for each group: %s", n, text)
	}
	wants(t, text, "stroe: unknown key; did you mean store?")
}

// Without the key log.format the standard logger hears of it; none means none.
func TestWarningsAreHeardWithoutALogger(t *testing.T) {
	for keys, want := range map[string]bool{"": true, "log: {format: none}": false} {
		var log bytes.Buffer
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		t.Cleanup(func() { slog.SetDefault(before) })
		opened(t, "store: memory\n"+keys)
		if got := strings.Contains(log.String(), "for tests only"); got != want {
			t.Errorf("with %q the warning is logged: %t, want %t: %s", keys, got, want, &log)
		}
	}
}

// Without log.format the standard logger decides what is written, whatever the level says.
func TestALevelWithoutAFormatIsWarnedOf(t *testing.T) {
	for keys, want := range map[string]bool{"": false, "log: {level: debug}": true, "log: {format: json}": false,
		"log: {format: json, level: debug}": false, "preset: authx\nlogger: true\nlog: {level: debug}": false} {
		text := strings.Join(load(t, yaml(t, "store: memory\n"+keys)).Warnings(), "\n")
		if got := strings.Contains(text, "log.level: it has no effect without log.format"); got != want {
			t.Errorf("%q is warned of: %t, want %t: %s", keys, got, want, text)
		}
	}
}
