package doctor

import (
	"testing"
	"time"
)

func TestTheClockTellsApartDelayAndSkew(t *testing.T) {
	before := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	after := before.Add(3 * time.Second) // the answer took so long
	for _, row := range []struct {
		server time.Duration
		want   string
	}{
		{0, Pass}, {3 * time.Second, Pass}, {-900 * time.Millisecond, Pass}, {-2 * time.Second, Warn}, {5 * time.Second, Warn},
	} {
		var p patient
		p.skew(before.Add(row.server), before, after)
		if got := p.checks[0].Result; got != row.want {
			t.Errorf("a server that is %s off = %s, want %s", row.server, got, row.want)
		}
	}
}

func TestAServerThatDropsSessionsIsWarnedOf(t *testing.T) {
	for info, want := range map[string][2]string{
		"# Memory\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:noeviction\r\n":            {Pass, Warn},
		"maxmemory:1073741824\r\nmaxmemory_human:1.00G\r\nmaxmemory_policy:allkeys-lru\r\n":           {Warn, Pass},
		"maxmemory:1073741824\r\nmaxmemory_human:1.00G\r\nmaxmemory_policy:noeviction\r\nother:x\r\n": {Pass, Pass},
	} {
		var p patient
		p.memory(fieldsOf(info))
		if got := [2]string{p.checks[0].Result, p.checks[1].Result}; got != want {
			t.Errorf("%q = %v, want %v", info, got, want)
		}
	}
}
