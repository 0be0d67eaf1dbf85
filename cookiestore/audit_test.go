package cookiestore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// Audit says what a cookie store cannot do, and what gives it back.
func TestAuditWarnsOfWhatACookieCannotDo(t *testing.T) {
	for name, c := range map[string]struct {
		store cookiestore.Options
		want  []string
	}{
		"alone":  {cookiestore.Options{}, []string{"logout-is-final", "no-write-is-lost", "sessions-can-be-listed"}},
		"listed": {listed(), []string{"no-write-is-lost", "sessions-can-be-listed"}},
	} {
		r := newRig(t, c.store, func(o *session.Options) { o.RenewEvery, o.SweepEvery = time.Hour, time.Hour })
		var got []string
		for _, f := range r.Audit() {
			if !f.Pass {
				got = append(got, f.Name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: warnings %v, want %v", name, got, c.want)
		}
	}
}
