package sessionconfig_test

import (
	"strings"
	"testing"

	"github.com/coatcheck/session/sessionconfig"
)

// A tree keeps either a value or what stands below it, or moves that to where nobody has put it, as chance has it.
func TestAVariableBelowAnotherOneIsNeitherLostNorMoved(t *testing.T) {
	for range 20 {
		t.Setenv("SESSION_STORE", "memory")
		t.Setenv("SESSION_STORE__DATABASE__TABLE", "visits")
		t.Setenv("SESSION_SEAL", "true")
		t.Setenv("SESSION_SEAL__LIFETIME", "3h")
		_, err := sessionconfig.Load()
		if err == nil {
			t.Fatal("it was loaded")
		}
		wants(t, err.Error(), "environment: SESSION_STORE__DATABASE__TABLE: found a group of keys",
			"environment: SESSION_SEAL__LIFETIME: found a group of keys")
		if n := strings.Count(err.Error(), "SESSION_"); n != 2 {
			t.Fatalf("it names %d variables, want 2: %v", n, err)
		}
	}
}

func TestSomebodyElsesVariablesBelowAnotherOneAreBothTold(t *testing.T) {
	t.Setenv("SESSION_STORE", "memory")
	t.Setenv("SESSION_ELSEWHERE", "1")
	t.Setenv("SESSION_ELSEWHERE__LIFETIME", "3h")
	cfg := load(t)
	wants(t, strings.Join(cfg.Warnings(), "\n"), "SESSION_ELSEWHERE and SESSION_ELSEWHERE__LIFETIME: ignored")
	if cfg.Options.Lifetime != 0 {
		t.Errorf("the lifetime is %s, which nobody has set", cfg.Options.Lifetime)
	}
}
