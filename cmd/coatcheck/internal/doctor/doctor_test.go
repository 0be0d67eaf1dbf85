package doctor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/sessionconfig"
)

func TestTheClockTellsApartDelayAndSkew(t *testing.T) {
	before := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	after := before.Add(3 * time.Second) // the answer took so long
	for _, row := range []struct {
		server time.Duration
		want   string
	}{
		{0, Pass}, {3 * time.Second, Pass}, {-900 * time.Millisecond, Pass}, {-2 * time.Second, Warn},
		{5 * time.Second, Warn},
	} {
		var p patient
		p.skew(before.Add(row.server), before, after)
		if got := p.checks[0].Result; got != row.want {
			t.Errorf("a server that is %s off = %s, want %s", row.server, got, row.want)
		}
	}
}

// results are those of the checks that a function adds, by their names.
func results(look func(*patient)) map[string]string {
	p := patient{cfg: &sessionconfig.Config{}}
	look(&p)
	return resultsOf(p.checks)
}

func TestAServerThatDropsSessionsFails(t *testing.T) {
	for info, want := range map[string][2]string{
		"# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nused_memory:5\r\n":      {Pass, Warn},
		"maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\nused_memory:899\r\n":            {Fail, Pass},
		"maxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\nused_memory:900\r\n":           {Fail, Warn},
		"maxmemory:1000\r\nmaxmemory_policy:noeviction\r\nused_memory:1000\r\nother:x\r\n": {Pass, Fail},
	} {
		got := results(func(p *patient) { p.memory(fieldsOf(info)) })
		if got := [2]string{got["eviction"], got["memory"]}; got != want {
			t.Errorf("%q = %v, want %v", info, got, want)
		}
	}
}

func TestAServerThatForgetsFails(t *testing.T) {
	for _, row := range []struct {
		info, save string
		knows      bool
		fsync      string
		want       string
	}{
		{"aof_enabled:1\naof_last_write_status:ok", "", true, "everysec", Pass},
		{"aof_enabled:1\naof_last_write_status:ok", "", false, "", Pass},
		{"aof_enabled:1\naof_last_write_status:ok", "", true, "no", Warn},
		{"aof_enabled:1\naof_last_write_status:err", "", true, "always", Fail},
		{"aof_enabled:0", "3600 1", true, "everysec", Warn},
		{"aof_enabled:0", "", true, "everysec", Fail},
		{"aof_enabled:0", "", false, "", Warn},
	} {
		got := results(func(p *patient) { p.persistence(fieldsOf(row.info), row.save, row.knows, row.fsync) })
		if got["persistence"] != row.want {
			t.Errorf("%+v = %s", row, got["persistence"])
		}
	}
}

// A node that refuses INFO is not one that is sound.
func TestAServerThatTellsNothingIsWarnedOf(t *testing.T) {
	got := results(func(p *patient) {
		info := func() (string, error) { return "", errors.New("NOPERM") }
		p.redisNode(info, func(string) (map[string]string, error) { return nil, nil })
	})
	if got["server"] != Warn {
		t.Errorf("the checks are %v, want a warning", got)
	}
}

// In a Galera cluster two nodes know nothing of each other's locks.
func TestALimitInAGaleraClusterIsWarnedOf(t *testing.T) {
	for _, row := range []struct {
		wsrep string
		limit int
		want  string
	}{{"on", 3, Warn}, {"on", 0, Pass}, {"off", 3, Pass}, {"", 3, Pass}} {
		got := results(func(p *patient) {
			p.cfg.Options.MaxPerUser = row.limit
			p.mysqlFits(map[string]string{"wsrep_on": row.wsrep})
		})
		if got["galera"] != row.want {
			t.Errorf("%+v = %s", row, got["galera"])
		}
	}
}

func TestAdviceNamesTheKeyAndNotTheOption(t *testing.T) {
	for advice, want := range map[string]string{
		"Cookie.Insecure: leave it unset":         "cookie.insecure: leave it unset",
		"OnEvent or Logger: set one":              "log.format: set one",
		"cookiestore.Options.Revocations: set it": "stores.cookies.revocations: set it",
		"store: use one that can list":            "store: use one that can list",
	} {
		if got := byKey(advice); got != want {
			t.Errorf("byKey(%q) = %q, want %q", advice, got, want)
		}
	}
}

func TestWhatSeveralServersHaveAlikeIsToldOnce(t *testing.T) {
	p := patient{cfg: &sessionconfig.Config{}}
	for _, node := range []string{"a:1", "b:1", "c:1"} {
		p.node = node
		p.memory(map[string]string{"maxmemory_policy": "noeviction", "maxmemory": "100", "used_memory": "1"})
	}
	p.node = "c:1"
	p.memory(map[string]string{"maxmemory_policy": "allkeys-lru", "maxmemory": "100", "used_memory": "1"})
	if len(p.checks) != 3 || p.checks[2].Result != Fail || !strings.HasPrefix(p.checks[2].Detail, "c:1: ") {
		t.Errorf("the checks are %v, want two that passed, and one that names its server", p.checks)
	}
}
