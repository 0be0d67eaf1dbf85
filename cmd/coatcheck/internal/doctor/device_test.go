package doctor

import (
	"context"
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// examine is what doctor finds at a site whose sessions are in memory, with these keys.
func examine(t *testing.T, keys string) []Check { return examineAt(t, "memory", keys) }

// examineAt is what doctor finds at a site with this store and these keys.
func examineAt(t *testing.T, store, keys string) []Check {
	t.Helper()
	t.Setenv("SESSION_SECRETS", "base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	t.Chdir(t.TempDir())
	if err := os.WriteFile("session.yaml", []byte("store: "+store+"\n"+keys+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := sessionconfig.Load("session.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return Examine(t.Context(), cfg, func(ctx context.Context) (*session.Manager, session.Store, error) {
		store, closer, err := cfg.OpenStore(ctx)
		if err != nil {
			return nil, nil, err
		}
		t.Cleanup(func() { closer.Close() })
		m, err := cfg.Manager(store, nil)
		if err == nil {
			t.Cleanup(func() { m.Close() })
		}
		return m, store, err
	})
}

// Who has no such keys is told nothing of a draft that few browsers have.
func TestDoctorLooksAtDeviceBoundWhereItIsConfigured(t *testing.T) {
	for keys, want := range map[string]string{
		"": "", "device_bound: {policy: off}": "", "device_bound: {policy: enforce}": Pass,
		"device_bound: {policy: require}": Pass, "device_bound: {lifetime: 5m}": Warn,
	} {
		got := ""
		for _, c := range examine(t, keys) {
			if strings.HasPrefix(c.Name, "device") {
				got += c.Result
			}
			if c.Name == "device-bound" && c.Result == Warn && !strings.HasPrefix(c.Detail, "device_bound.policy: ") {
				t.Errorf("the advice is %q, want it to begin with the key", c.Detail)
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", keys, got, want)
		}
	}
}
