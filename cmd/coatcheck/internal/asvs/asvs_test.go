package asvs

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/doctor"
	"github.com/coatcheck/session/memstore"
)

const page = "../../../../docs/asvs.md"

var row = regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \| ([123]) \| ([^|]+) \| ([^|]+) \|([^|]*)\|$`)

func TestThePageAndTheTableSayTheSame(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := row.FindAllStringSubmatch(string(text), -1)
	byID := map[string][]string{}
	for _, r := range rows {
		byID[r[1]] = r
	}
	if len(byID) != len(rows) {
		t.Errorf("the page has %d rows for %d requirements", len(rows), len(byID))
	}
	for _, r := range requirements {
		on := byID[r.ID]
		delete(byID, r.ID)
		switch {
		case on == nil:
			t.Errorf("%s is not on the page", r.ID)
			continue
		case on[2] != strconv.Itoa(r.Level) || on[3] != r.Text:
			t.Errorf("%s is level %d, %q, but on the page level %s, %q", r.ID, r.Level, r.Text, on[2], on[3])
		}
		for _, name := range r.Checks {
			if !strings.Contains(on[4], "`"+name+"`") {
				t.Errorf("%s depends on %s, which the page does not say", r.ID, name)
			}
		}
		if yours := strings.HasPrefix(on[4], "yours"); yours != (r.On == Yours) {
			t.Errorf("%s depends on %q, but the page says %q", r.ID, r.On, on[4])
		}
		if !strings.Contains(on[5], "`Test") && r.On != Yours {
			t.Errorf("no test shows %s", r.ID)
		}
	}
	for id := range byID {
		t.Errorf("%s is on the page alone", id)
	}
}

func TestEveryRequirementSaysWhatItDependsOn(t *testing.T) {
	names := findings(t)
	for _, r := range requirements {
		for _, name := range r.Checks {
			if !slices.Contains(names, name) {
				t.Errorf("%s depends on %q, which nothing checks", r.ID, name)
			}
		}
		if (r.On == Options) != (len(r.Checks) > 0) || (r.On == Yours) != (r.Advice != "") {
			t.Errorf("%s depends on %q, with %d checks and the advice %q", r.ID, r.On, len(r.Checks), r.Advice)
		}
	}
}

func TestAConfigurationMeetsWhatItsChecksPass(t *testing.T) {
	checks := []doctor.Check{
		{Name: "cookie-secure", Result: doctor.Pass}, {Name: "cookie-host-prefix", Result: doctor.Pass},
		{Name: "idle-timeout", Result: doctor.Warn, Detail: "none; set IdleTimeout"},
		{Name: "logout-is-final", Result: doctor.Accepted, Detail: "not without a list"},
	}
	results, err := Assess(2, checks)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Result{}
	for _, r := range results {
		got[r.ID] = r
	}
	for id, want := range map[string]string{
		"3.3.1": Met, "7.2.3": Met, "7.3.1": NotMet, "7.4.1": NotMet, "7.3.2": NotMet, "7.5.1": YourTask,
	} {
		if got[id].Result != want {
			t.Errorf("%s is %q, not %q: %s", id, got[id].Result, want, got[id].Detail)
		}
	}
	if detail := got["7.3.1"].Detail; detail != "idle-timeout: none; set IdleTimeout" {
		t.Errorf("7.3.1 says %q", detail)
	}
	if _, ok := got["7.5.3"]; ok {
		t.Error("level 2 asks for 7.5.3, which is of level 3")
	}
}

func TestThereAreThreeLevels(t *testing.T) {
	for _, level := range []int{-1, 0, 4} {
		if _, err := Assess(level, nil); err == nil {
			t.Errorf("there is a level %d", level)
		}
	}
}

// findings are the names of what the manager audits.
func findings(t *testing.T) []string {
	t.Helper()
	secrets := []session.Secret{session.NewSecret()}
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	var names []string
	for _, f := range m.Audit() {
		names = append(names, f.Name)
	}
	return names
}
