package integration_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session/cmd/demo/experiment"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/redisstore"
)

// What the demo shows in files it shows on every store.
func TestTheExperimentsOfTheDemoHoldOnEveryServer(t *testing.T) {
	eachServer(t, func(t *testing.T, s server) { experimentsHold(t, s.store(t, s.open(t), s.table())) })
	t.Run("SQLite", func(t *testing.T) { experimentsHold(t, migrated(t, openSQLite(t, sqliteFile(t)), "")) })
	for name, addrs := range map[string]func(testing.TB) []string{"Redis": singleRedis, "Redis Cluster": clusterRedis} {
		t.Run(name, func(t *testing.T) {
			client := redisClient(t, rueidis.ClientOption{InitAddress: addrs(t)})
			experimentsHold(t, redisStore(t, client, redisstore.Options{Prefix: newPrefix()}))
		})
	}
}

func experimentsHold(t *testing.T, store trace.Backend) {
	t.Helper()
	for _, e := range experiment.All {
		report, err := e.Run(t.Context(), store)
		if err != nil || !report.Ours.Kept || report.Usual.Kept {
			t.Errorf("%s: %+v, %v; want the promise kept here, and not in the usual way", e.Name, report, err)
		}
	}
	recs, err := store.Page(t.Context(), "", 100)
	if err != nil || len(recs) != 0 {
		t.Errorf("the experiments left %d records, %v", len(recs), err)
	}
}

// The demo signs anybody in as anybody, so its sessions are apart from those of the site that the configuration is for.
func TestTheDemoServesOnTheConfiguredServerApartFromTheSite(t *testing.T) {
	program := buildCommand(t, "build")
	eachOf(t, byDriver, func(t *testing.T, s server) {
		at, err := s.start()
		if err != nil {
			t.Fatal(err)
		}
		db, sites := s.open(t), s.table()
		s.store(t, db, sites)
		countsAVisit(t, program, "database", append(database(strings.ToLower(s.name), at.DSN), "SESSION_STORE=database",
			"SESSION_STORES__DATABASE__TABLE="+sites)...)
		for table, want := range map[string]int{sites: 0, "coatcheck_demo": 1} {
			var n int
			if err := db.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil || n != want {
				t.Errorf("the table %s has %d rows, %v; want %d", table, n, err, want)
			}
		}
	})
	t.Run("Redis", func(t *testing.T) {
		addrs := singleRedis(t)
		countsAVisit(t, program, "redis", "SESSION_STORE=redis", "SESSION_STORES__REDIS__CONNECTION=cache",
			"SESSION_CONNECTIONS__CACHE__DRIVER=redis", "SESSION_CONNECTIONS__CACHE__DSN="+redisURL(addrs))
		client := redisClient(t, rueidis.ClientOption{InitAddress: addrs})
		keys, err := client.Do(t.Context(), client.B().Keys().Pattern("coatcheck-demo:*").Build()).AsStrSlice()
		if err != nil || len(keys) == 0 {
			t.Errorf("the keys of the demo are %v, %v", keys, err)
		}
	})
}

// countsAVisit starts the demo, counts a visit, and stops it.
func countsAVisit(t *testing.T, program, store string, configuration ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "demo", "--addr", "127.0.0.1:0", "--store", store,
		"--data", t.TempDir()+"/data")
	cmd.Env = append(os.Environ(), configuration...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	body, err := postVisit(regexp.MustCompile(`http://[0-9.:]+`).FindString(line))
	if err != nil || !strings.Contains(body, `"visits":1`) {
		t.Errorf("the demo, which says %q, answers %q, %v; want the first visit", line, body, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v", err)
	}
}

func postVisit(address string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, address+"/visits", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("count a visit: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
