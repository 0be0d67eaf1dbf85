package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/examples/internal/browser"
)

// journal is where the log goes in a test.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// lines are those that were written, as JSON.
func (j *journal) lines(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(j.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// shop starts a site with a journal.
func shop(t *testing.T) (address string, sessions *session.Manager, j *journal) {
	t.Helper()
	j = &journal{}
	a := newAudit(j)
	address, stop, err := browser.Serve(func(m *session.Manager) (http.Handler, error) {
		sessions = m
		return app(m, a)
	}, func(o *session.Options) { o.OnEvent = a.event })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return address, sessions, j
}

func signInAs(b *browser.Browser, user, password string) (int, string) {
	return b.Post("/login", url.Values{"user": {user}, "password": {password}})
}

// at reads a field by its path, "" if it is not there. Numbers are as JSON writes them.
func at(line map[string]any, path string) string {
	var v any = line
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprint(v)
}

func TestSignInsAndTheirEndsAreLines(t *testing.T) {
	address, sessions, j := shop(t)
	phone, desk := browser.Open(address), browser.Open(address)
	signInAs(phone, "ada", "babbage")
	signInAs(phone, "charlotte", "secret")
	signInAs(phone, "ada", "lovelace")
	phone.Post("/logout", nil)
	signInAs(desk, "ada", "lovelace")
	operator := session.WithActor(t.Context(), "operator: grace")
	if n, err := sessions.RevokeUserFor(operator, session.ReasonOperator, "ada"); n != 1 || err != nil {
		t.Fatalf("RevokeUserFor = %d, %v", n, err)
	}

	var got []string
	for _, line := range j.lines(t) {
		got = append(got, strings.Join([]string{at(line, "activity_id"), at(line, "status_id"), at(line, "user.name"),
			at(line, "status_detail"), at(line, "actor.user.name")}, "|"))
	}
	want := []string{
		"1|2|ada|the name or the password is wrong|",
		"1|2|unknown|the name or the password is wrong|",
		"1|1|ada||",
		"2|1|ada|logout|ada",
		"1|1|ada||",
		"2|1|ada|operator|operator: grace",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("lines are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	lines := j.lines(t)
	if in, out := at(lines[2], "session.uid"), at(lines[3], "session.uid"); in == "" || in != out {
		t.Errorf("the session that began is %q, and %q ended", in, out)
	}
	if ip := at(lines[2], "src_endpoint.ip"); ip != "127.0.0.1" {
		t.Errorf("src_endpoint.ip = %q, want 127.0.0.1", ip)
	}
}

func TestAnotherSiteSignsNobodyIn(t *testing.T) {
	address, _, j := shop(t)
	b := browser.Open(address)
	form := url.Values{"user": {"ada"}, "password": {"lovelace"}}
	if status, body := b.Post("/login", form, "Sec-Fetch-Site: cross-site"); status != 403 || j.String() != "" {
		t.Errorf("status %d, %s, and the log is %s", status, body, j)
	}
}

// required are the fields that OCSF 1.3.0 requires of the class Authentication, with what it says of their values.
var required = map[string]string{
	"activity_id": "", "category_uid": "3", "class_uid": "3002", "metadata.version": "1.3.0",
	"metadata.product.vendor_name": "", "severity_id": "", "time": "", "type_uid": "", "user.name": "",
	"service.name": "", // or dst_endpoint
}

func TestLinesHaveWhatTheSchemaRequires(t *testing.T) {
	address, sessions, j := shop(t)
	b := browser.Open(address)
	signInAs(b, "ada", "babbage")
	signInAs(b, "ada", "lovelace")
	b.Post("/logout", nil)
	sessions.Report(t.Context(), session.Event{Kind: session.EventReused, User: "ada"})
	lines := j.lines(t)
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4:\n%s", len(lines), j)
	}
	for _, line := range lines {
		for path, want := range required {
			if got := at(line, path); got == "" || want != "" && got != want {
				t.Errorf("%s = %q, want %q in %v", path, got, want, line)
			}
		}
		if activity, ok := line["activity_id"].(float64); !ok || line["type_uid"] != 300200+activity {
			t.Errorf("type_uid = %v of activity %v", line["type_uid"], line["activity_id"])
		}
		if millis, ok := line["time"].(float64); !ok || millis < 1e12 || millis != float64(int64(millis)) {
			t.Errorf("time = %v, want whole milliseconds", line["time"])
		}
		if _, ok := line["level"]; ok {
			t.Error("a line has a level, which the schema does not know")
		}
	}
}

func TestNoPasswordAndNoTicketIsInALine(t *testing.T) {
	address, _, j := shop(t)
	b := browser.Open(address)
	signInAs(b, "ada", "canary-wrong")
	signInAs(b, "canary-name", "x")
	signInAs(b, "ada", "lovelace")
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	ticket := b.Jar.Cookies(at)[0].Value
	b.Post("/logout", nil)
	for _, secret := range []string{"canary", "lovelace", strings.Split(ticket, ".")[1]} {
		if strings.Contains(j.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
