package sessionconfig_test

import (
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
