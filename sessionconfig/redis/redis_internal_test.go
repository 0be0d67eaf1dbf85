package redis

import "testing"

// A client that misses the message of a failover would write to the old primary until it ends.
func TestSentinelIsAskedForThePrimary(t *testing.T) {
	for dsn, want := range map[string]bool{
		"redis://h:26379?addr=i:26379&master_set=main": true,
		"redis://h:6379":             false,
		"redis://h:6379?addr=i:6379": false,
	} {
		opts, err := options(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if got := opts.Sentinel.TopologyRefreshInterval > 0; got != want {
			t.Errorf("%s: Sentinel is asked: %t, want %t", dsn, got, want)
		}
	}
}
