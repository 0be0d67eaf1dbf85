package shop_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session/cmd/demo/experiment"
)

func TestEachExperimentIsOneButton(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		v.post("/login", "user", "ada")
		home := v.get("/")
		for _, e := range experiment.All {
			wantText(t, "the first page", home, e.Title, `action="/experiments/`+e.Name)
			page := v.post("/experiments/" + e.Name)
			wantStatus(t, e.Name, page, http.StatusOK)
			wantText(t, e.Name, page, e.Button+" again", "With Coatcheck", "The usual way", "Calls to the store",
				`class="side kept"`, `class="side broken"`)
			if n := strings.Count(page.body, "<table>"); n != 2 {
				t.Errorf("%s shows %d tables, want those of its two sides", e.Name, n)
			}
		}
		wantText(t, "the shop afterwards", v.get("/shop"), "<bdi>ada</bdi>")
	})
}

func TestAScriptGetsTheReportOfAnExperiment(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := script(t, site)
		for _, e := range experiment.All {
			var report experiment.Report
			a := v.post("/experiments/" + e.Name)
			decode(t, a, &report)
			if report.Name != e.Name || !report.Ours.Kept || report.Usual.Kept || len(report.Ours.Requests) < 4 {
				t.Errorf("the report of %s is %s", e.Name, a.body)
			}
			if got := a.Header.Get("Set-Cookie"); got != "" {
				t.Errorf("%s gave the visitor a cookie: %q", e.Name, got)
			}
		}
		for info, err := range site.sessions.All(t.Context()) {
			t.Errorf("the experiments left %+v, %v", info, err)
		}
	})
}

func TestExperimentsAtTheSameTimeAllSucceed(t *testing.T) {
	site := start(t, options{})
	var wg sync.WaitGroup
	for _, e := range experiment.All {
		v := script(t, site)
		wg.Go(func() {
			var report experiment.Report
			a := v.post("/experiments/" + e.Name)
			if err := json.Unmarshal([]byte(a.body), &report); err != nil || !report.Ours.Kept {
				t.Errorf("%s = %d, %s", e.Name, a.StatusCode, a.body)
			}
		})
	}
	wg.Wait()
}

func TestThereIsNoOtherExperiment(t *testing.T) {
	v := script(t, start(t, options{}))
	wantStatus(t, "an experiment that is none", v.post("/experiments/perpetual-motion"), http.StatusNotFound)
	wantStatus(t, "to look at an experiment", v.get("/experiments/clicks"), http.StatusMethodNotAllowed)
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// strip is the text of a page's strip.
func strip(t *testing.T, a answer) string {
	t.Helper()
	_, text, found := strings.Cut(a.body, `<aside class="strip"`)
	text, _, closed := strings.Cut(text, "</aside>")
	if !found || !closed {
		t.Fatalf("%s has no strip:\n%s", a.Request.URL.Path, a.body)
	}
	_, text, _ = strings.Cut(text, ">")
	return strings.Join(strings.Fields(tags.ReplaceAllString(text, " ")), " ")
}

func TestEveryPageSaysWhatItCost(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		want := func(what string, a answer, want string) {
			t.Helper()
			if got := strip(t, a); !strings.HasPrefix(got, "This page "+want) {
				t.Errorf("%s says %q, want %q", what, got, want)
			}
		}
		const nothing = "Calls to the store 0 Version none Id "
		want("a first visit", v.get("/"), nothing+"none Cookie not sent Nothing was stored for this page")
		want("no page", v.get("/nowhere"), nothing+"not asked for Cookie not sent Nothing was stored")
		want("after a message", v.post("/notes", "text", "milk"),
			"Calls to the store 2 (load, save) Version 3 Id kept Cookie not sent")
		want("a page that only reads", v.get("/shop"), "Calls to the store 1 (load) Version 3 Id kept Cookie not sent")
		v.post("/login", "user", "ada")
		v.get("/shop")
		for _, path := range []string{"/", "/shop", "/cart", "/sign-in", "/sessions", "/staff"} {
			got := strip(t, v.get(path))
			if !strings.Contains(got, "Calls to the store") || strings.Contains(got, "0 Version") {
				t.Errorf("%s says %q, want calls to the store", path, got)
			}
		}
	})
}

// An older browser gets a cookie for its forms, and is told so.
func TestThePageSaysThatACookieForFormsWasSent(t *testing.T) {
	page := olderGet(person(t, start(t, options{})), "/")
	if got := strip(t, page); !strings.Contains(got, "one for forms sent") || strings.Contains(got, "Nothing was") {
		t.Errorf("the strip says %q", got)
	}
}

func TestWhatWasTypedWrongIsShownAgainAtItsField(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		a := v.post("/login", "user", `ada "the first" `, "return", "/cart")
		wantStatus(t, "a name with a blank at its end", a, http.StatusUnprocessableEntity)
		wantText(t, "the form", a, `value="ada &#34;the first&#34; "`, `id="user-error"`, `name="return" value="/cart"`)
		long := strings.Repeat("é", 300)
		a = v.post("/notes", "text", long)
		wantStatus(t, "a long note", a, http.StatusUnprocessableEntity)
		wantText(t, "the form", a, long, `id="text-error"`, "at most 500 are allowed")
		if got := a.Header.Get("Set-Cookie"); got != "" {
			t.Errorf("a mistake began a session: %q", got)
		}
		v.post("/cart", "product", "coat")
		v.post("/cart", "product", "hat")
		a = v.post("/cart", "product", "hat", "count", "1000")
		wantStatus(t, "too many hats", a, http.StatusUnprocessableEntity)
		wantText(t, "the cart", a, `value="1000" required aria-invalid="true" aria-describedby="count-error"`)
		if n := strings.Count(a.body, "aria-invalid"); n != 1 {
			t.Errorf("%d fields are marked, want that of the hats", n)
		}
	})
}

func TestADeviceIsEndedOnThePageOfTheGuard(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		here, there := person(t, site), person(t, site)
		here.post("/login", "user", "ada")
		there.post("/login", "user", "ada")
		page := here.get("/sessions")
		ids := regexp.MustCompile(`name="id" value="([^"]+)"`).FindAllStringSubmatch(page.body, -1)
		if len(ids) != 2 {
			t.Fatalf("the page has %d sessions, want 2:\n%s", len(ids), page.body)
		}
		wantText(t, "the page then", here.post("/sessions", "id", ids[1][1]), "The session on this device has ended")
		wantText(t, "the other device", there.get("/shop"), "Hello, stranger")
		here.post("/sessions", "id", ids[0][1])
		wantText(t, "this device", here.get("/shop"), "Hello, stranger")
	})
}

// An older browser, which does not say where a form comes from, ends devices with the token of the page alone.
func TestAnOlderBrowserEndsDevicesWithTheTokenOfThePage(t *testing.T) {
	site := start(t, options{})
	here, there := person(t, site), person(t, site)
	here.post("/login", "user", "ada")
	there.post("/login", "user", "ada")
	wantStatus(t, "without the token", older(here, "/sessions", "others=1"), http.StatusForbidden)
	page := olderGet(here, "/sessions")
	token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(page.body)
	if token == nil {
		t.Fatal("the page has no token")
	}
	wantStatus(t, "with the token", older(here, "/sessions", "others=1&csrf_token="+token[1]), http.StatusOK)
	wantText(t, "the other device", there.get("/shop"), "Hello, stranger")
}

// Eleven minutes after the sign-in the page of devices asks for another before it ends a session.
func TestTheDemoAsksForARecentSignInBeforeItEndsADevice(t *testing.T) {
	var later atomic.Int64
	site := start(t, options{now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	here, there := person(t, site), person(t, site)
	here.post("/login", "user", "ada")
	there.post("/login", "user", "ada")
	later.Store(int64(11 * time.Minute))
	wantText(t, "the page", here.get("/sessions"), `href="/sign-in?return=%2Fsessions"`)
	wantText(t, "the answer", here.post("/sessions", "others", "1"), `<h1 id="title">Sign in</h1>`, `value="/sessions"`)
	wantText(t, "the other device", there.get("/shop"), "<bdi>ada</bdi>")
	back := here.post("/login", "user", "ada", "return", "/sessions")
	wantText(t, "the page after the sign-in", back, "End all other")
	wantText(t, "the page then", here.post("/sessions", "others", "1"), "1 session has ended.")
}
