package sessionconfig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

func TestALevelOfAssuranceFillsInTheClocks(t *testing.T) {
	const hour = time.Hour
	for text, want := range map[string]session.Options{
		"assurance: aal1\n": {Lifetime: 720 * hour},
		"assurance: AAL2\n": {Lifetime: 24 * hour, IdleTimeout: hour},
		"assurance: aal3\n": {Lifetime: 12 * hour, IdleTimeout: 15 * time.Minute},
		"assurance: aal3\nlifetime: 1h\nidle_timeout: never\n": {Lifetime: hour, IdleTimeout: session.Never},
		"idle_timeout: 5m\nassurance: aal2\n":                  {Lifetime: 24 * hour, IdleTimeout: 5 * time.Minute},
	} {
		got := load(t, yaml(t, "store: memory\n"+text)).Options
		if got.Lifetime != want.Lifetime || got.IdleTimeout != want.IdleTimeout {
			t.Errorf("%q: lifetime %v, idle timeout %v, want %v and %v", text, got.Lifetime, got.IdleTimeout,
				want.Lifetime, want.IdleTimeout)
		}
	}
	wants(t, refused(t, "store: memory\nassurance: aal4\n"), "assurance", "aal1, aal2 or aal3")
}

// What a preset brings along is nobody's wish, unlike the values that its names have.
func TestALevelOfAssuranceWinsOverWhatAPresetBringsAlong(t *testing.T) {
	const hour, quarter = time.Hour, 15 * time.Minute
	for text, want := range map[string]session.Options{
		"preset: nexios\nassurance: aal3":                               {Lifetime: 12 * hour, IdleTimeout: quarter},
		"preset: nexios\nassurance: aal2\nsession_expiration_time: 120": {Lifetime: 2 * hour, IdleTimeout: hour},
		"preset: nexios\nassurance: aal2\nsession_expiration_time: 30\nsession_refresh_each_request: true": {
			Lifetime: 24 * hour, IdleTimeout: 30 * time.Minute},
		"preset: nexios\nassurance: aal1": {Lifetime: 24 * hour, IdleTimeout: session.Never},
		"preset: nexios\nassurance: aal3\nlifetime: 7d\nidle_timeout: never": {Lifetime: 168 * hour,
			IdleTimeout: session.Never},
		"preset: expanse\nstore: dict\nassurance: aal2":                {Lifetime: 24 * hour, IdleTimeout: hour},
		"preset: expanse\nstore: dict\nassurance: aal2\nlifetime: 120": {Lifetime: 24 * hour, IdleTimeout: 2 * hour},
		"preset: authx\nassurance: aal2\nmax_age: 7200":                {Lifetime: 2 * hour, IdleTimeout: hour},
		"preset: authx\nassurance: aal3":                               {Lifetime: 12 * hour, IdleTimeout: quarter},
	} {
		got := load(t, yaml(t, text)).Options
		if got.Lifetime != want.Lifetime || got.IdleTimeout != want.IdleTimeout {
			t.Errorf("%q: lifetime %v, idle timeout %v, want %v and %v", text, got.Lifetime, got.IdleTimeout,
				want.Lifetime, want.IdleTimeout)
		}
	}
	settings := fmt.Sprint(load(t, yaml(t, "preset: nexios\nassurance: aal3")).Settings())
	if strings.Contains(settings, "lifetime") || strings.Contains(settings, "idle_timeout") {
		t.Errorf("the settings show clocks that do not hold: %s", settings)
	}
}
