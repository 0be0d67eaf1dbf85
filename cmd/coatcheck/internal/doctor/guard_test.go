package doctor

import (
	"strings"
	"testing"
)

func TestDoctorWarnsOfAttemptsBeyondTheStandard(t *testing.T) {
	for keys, want := range map[string]string{
		"guard: {sign_in: {attempts: 5, wait: 30s, forgive: 12h}, limits: {search: {requests: 10, per: 1m}}}": "",
		"guard: {sign_in: {attempts: 1000}}": Warn,
	} {
		got := ""
		for _, c := range examine(t, keys) {
			if c.Result == Fail {
				t.Errorf("%s: %+v", keys, c)
			}
			if strings.HasPrefix(c.Detail, "guard.sign_in.attempts") {
				got += c.Result
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", keys, got, want)
		}
	}
}
