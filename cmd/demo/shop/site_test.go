package shop_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session/cmd/demo/shop"
)

func TestAPersonClicksThrough(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		ada := person(t, site)
		wantText(t, "the first page", ada.get("/"), "Nothing is stored for you", "got no session cookie")
		wantText(t, "the shop", ada.get("/shop"), "Hello, stranger", "No notes yet", "no password")
		wantText(t, "the page after a visit was counted", ada.post("/visits"), `id="visits">1</strong> visit.`)
		wantText(t, "the page after another", ada.post("/visits"), `id="visits">2</strong> visits.`)

		sent := ada.step("/login", "user", "ada", "remember", "1")
		wantStatus(t, "POST /login", sent, http.StatusSeeOther)
		wantKept(t, sent, 30*24*time.Hour)
		wantText(t, "the page after the login", ada.get("/shop"), `role="status">`, "Hello, ada.</p>", "Sign out")
		if page := ada.get("/"); strings.Contains(page.body, `role="status"`) {
			t.Errorf("the message is shown twice:\n%s", page.body)
		}
		wantText(t, "the page after a note", ada.post("/notes", "text", "buy milk"), "buy milk", "Noted.")

		other := person(t, site)
		other.post("/login", "user", "ada")
		list := ada.get("/sessions")
		wantText(t, "the list", list, "Firefox on Linux", "this device", "This computer", "127.0.0.1",
			"<time datetime=", "End all other sessions", "Stays signed in", "just now")
		here, there := strings.Index(list.body, "Sign out here"), strings.Index(list.body, "End this session")
		if here < 0 || there < here {
			t.Errorf("this device does not stand before the other:\n%s", list.body)
		}
		wantText(t, "the list after ending the others", ada.post("/sessions", "others", "1"), "1 session has ended.")
		wantText(t, "the page of the ended session", other.get("/shop"), "Hello, stranger")

		wantText(t, "the page after the logout", ada.post("/logout"), "You are signed out.", "Hello, stranger",
			"No notes yet")
		wantText(t, "the list when signed out", ada.get("/sessions"), `<h1 id="title">Sign in</h1>`)
	})
}

// wantKept checks that the browser keeps the cookie for so long, less the moment since the login.
func wantKept(t *testing.T, a answer, d time.Duration) {
	t.Helper()
	cookies := a.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly {
		t.Fatalf("the answer sets %v, want one cookie out of reach for scripts", cookies)
	}
	if age := time.Duration(cookies[0].MaxAge) * time.Second; age > d || age < d-time.Minute {
		t.Errorf("Max-Age = %v, want %v", age, d)
	}
}

func TestAScriptGetsJSON(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		ada := script(t, site)
		first := ada.state()
		if first.Visits != 0 || first.User != "" || first.ID != "" || first.Notes == nil {
			t.Errorf("the first state is %+v, want nothing but an empty list", first)
		}
		var s state
		if decode(t, ada.post("/visits"), &s); s.Visits != 1 || s.ID == "" {
			t.Errorf("after a visit was counted the state is %+v, want it and an id", s)
		}
		decode(t, ada.post("/login", "user", "ada", "remember", "on"), &s)
		if s.User != "ada" || s.ID == "" || s.Visits != 1 {
			t.Errorf("after the login the state is %+v, want ada under another id", s)
		}
		decode(t, ada.send(http.MethodPost, "/notes", "application/json; charset=utf-8", `{"text":"buy milk"}`), &s)
		if len(s.Notes) != 1 || s.Notes[0] != "buy milk" {
			t.Errorf("after a note the state is %+v", s)
		}
		if s := ada.state(); s.Flash != "Noted." || s.Visits != 1 {
			t.Errorf("the next state is %+v, want the message and the visit", s)
		}
		if s := ada.state(); s.Flash != "" {
			t.Errorf("the message comes again: %+v", s)
		}
		list := ada.sessions()
		if len(list) != 1 || !list[0].Current || list[0].ID != s.ID || list[0].Browser != "curl" ||
			!list[0].Remembered {
			t.Errorf("the list is %+v", list)
		}
		decode(t, ada.post("/logout"), &s)
		if s.User != "" || s.Visits != 0 || len(s.Notes) != 0 {
			t.Errorf("after the logout the state is %+v", s)
		}
		decode(t, ada.post("/logout"), &s) // a second click
	})
}

func TestStrangersKeepTheirNotesWhenTheySignIn(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := script(t, site)
		v.post("/notes", "text", "before")
		v.send(http.MethodPost, "/login", "application/json", `{"user":"ada","remember":true}`)
		if s := v.state(); len(s.Notes) != 1 || s.User != "ada" {
			t.Errorf("the state is %+v, want the note and ada", s)
		}
	})
}

func TestLoginWithoutRememberEndsAnEarlierOne(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := script(t, site)
		v.post("/login", "user", "ada", "remember", "1")
		sent := v.post("/login", "user", "ada")
		if cookie := sent.Header.Get("Set-Cookie"); cookie == "" || strings.Contains(cookie, "Max-Age") {
			t.Errorf("Set-Cookie = %q, want one that ends with the browser", cookie)
		}
		if list := v.sessions(); len(list) != 1 || list[0].Remembered {
			t.Errorf("the list is %+v, want one session that is not kept", list)
		}
	})
}

// Whoever looks, and however often, leaves nothing: neither a record nor a cookie.
func TestAFirstVisitStoresNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		for _, v := range []*visitor{person(t, site), script(t, site)} {
			for _, path := range []string{"/", "/shop", "/cart", "/sign-in", "/nowhere", "/"} {
				if got := v.get(path).Header.Get("Set-Cookie"); got != "" {
					t.Errorf("GET %s sends the cookie %q", path, got)
				}
			}
		}
		for info, err := range site.sessions.All(t.Context()) {
			t.Errorf("there is a session after looking: %+v, %v", info, err)
		}
	})
}

func TestVisitsAtTheSameTimeAllCount(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		const n = 10
		v := script(t, site)
		v.post("/visits")
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { v.post("/visits") })
		}
		wg.Wait()
		if s := v.state(); s.Visits != n+1 {
			t.Errorf("there were %d visits, want %d", s.Visits, n+1)
		}
	})
}

func TestASessionIsRevoked(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		here, there := script(t, site), script(t, site)
		here.post("/login", "user", "ada")
		there.post("/login", "user", "ada")
		wantStatus(t, "revoke", here.post("/sessions/revoke", "id", there.state().ID), http.StatusOK)
		if s := there.state(); s.User != "" {
			t.Errorf("the revoked session is still signed in: %+v", s)
		}
		wantStatus(t, "revoke it again", here.post("/sessions/revoke", "id", there.state().ID), http.StatusBadRequest)
		wantStatus(t, "revoke this one", here.post("/sessions/revoke", "id", here.state().ID), http.StatusOK)
		if s := here.state(); s.User != "" {
			t.Errorf("still signed in after ending this session: %+v", s)
		}
	})
}

// A session gets a new id now and then, also while somebody looks at the list of them.
func TestASessionIsRevokedUnderTheIDThatWasListed(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		here, there := script(t, site), script(t, site)
		here.post("/login", "user", "ada")
		cookies := there.step("/login", "user", "ada").Cookies()
		listed := there.state().ID
		s, err := site.sessions.Open(t.Context(), cookies[0].Value)
		if err != nil || s.User() != "ada" {
			t.Fatalf("Open = %v, %v", s, err)
		}
		if s.Regenerate(); s.Save(t.Context()) != nil || s.ID() == listed {
			t.Fatal("the session got no new id")
		}
		wantStatus(t, "revoke", here.post("/sessions/revoke", "id", listed), http.StatusOK)
		if list := here.sessions(); len(list) != 1 || !list[0].Current {
			t.Errorf("ada sees %+v, want this session alone", list)
		}
	})
}

func TestSessionsOfOthersCannotBeRevoked(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		ada, eve, stranger := script(t, site), script(t, site), script(t, site)
		ada.post("/login", "user", "ada")
		eve.post("/login", "user", "eve")
		wantStatus(t, "revoke ada's", eve.post("/sessions/revoke", "id", ada.state().ID), http.StatusBadRequest)
		wantStatus(t, "revoke a stranger's", eve.post("/sessions/revoke", "id", stranger.state().ID),
			http.StatusBadRequest)
		wantStatus(t, "revoke as a stranger", stranger.post("/sessions/revoke", "id", ada.state().ID),
			http.StatusUnauthorized)
		wantStatus(t, "revoke the others", eve.post("/sessions/revoke", "others", "1"), http.StatusOK)
		if s := ada.state(); s.User != "ada" {
			t.Errorf("ada was signed out: %+v", s)
		}
		if list := eve.sessions(); len(list) != 1 || !list[0].Current {
			t.Errorf("eve sees %+v, want her session alone", list)
		}
	})
}

func TestASessionThatEndsInUseGetsAReason(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		ada := script(t, site)
		ada.post("/login", "user", "ada")
		old := *ada
		old.client = &http.Client{Jar: ada.client.Jar}
		retired := ada.get("/").Request.Header.Get("Cookie")
		ada.post("/login", "user", "ada") // and with it a new ticket
		old.client.Jar = nil
		a := old.send(http.MethodPost, "/notes", "application/x-www-form-urlencoded", "text=late", "Cookie", retired)
		wantStatus(t, "a note with the retired ticket", a, http.StatusConflict)
		wantText(t, "the answer", a, `{"error":"Your session has ended`)
	})
}

func TestNotesAreLimited(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := script(t, site)
		v.post("/visits")
		var wg sync.WaitGroup
		for i := range shop.MaxNotes + 5 {
			wg.Go(func() { v.post("/notes", "text", fmt.Sprintf("note %d", i)) })
		}
		wg.Wait()
		wantStatus(t, "one note more", v.post("/notes", "text", "more"), http.StatusBadRequest)
		if s := v.state(); len(s.Notes) != shop.MaxNotes {
			t.Errorf("there are %d notes, want %d", len(s.Notes), shop.MaxNotes)
		}
	})
}

func TestHostileTextIsShownAsText(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		v.agent = `"><script>alert(1)</script>`
		hostile := `</title><script>alert("x")</script>' onload='x`
		v.post("/login", "user", hostile)
		v.post("/notes", "text", hostile)
		for _, path := range []string{"/", "/shop", "/sessions"} {
			page := v.get(path)
			if strings.Contains(page.body, "<script") || strings.Contains(page.body, "' onload") {
				t.Errorf("%s shows markup of the visitor:\n%s", path, page.body)
			}
			wantText(t, path, page, "&lt;script&gt;")
		}
		var s state
		v.accept = "application/json"
		if decode(t, v.get("/"), &s); s.User != hostile {
			t.Errorf("the user is %q, want %q", s.User, hostile)
		}
	})
}

func TestPagesMayDoNothingButShow(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		page := v.get("/")
		want := map[string]string{
			"Content-Type":           "text/html; charset=utf-8",
			"Cache-Control":          "no-store",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "same-origin",
		}
		for name, value := range want {
			if got := page.Header.Get(name); got != value {
				t.Errorf("%s = %q, want %q", name, got, value)
			}
		}
		policy := page.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "style-src 'self'", "form-action 'self'",
			"frame-ancestors 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("Content-Security-Policy = %q, want %s in it", policy, part)
			}
		}
	})
}

func TestStyleIsKeptForGoodAndCostsNoSession(t *testing.T) {
	onEachStore(t, func(t *testing.T, site *site) {
		v := person(t, site)
		for _, path := range regexp.MustCompile(`/(style|icon)-\w+\.(css|svg)`).FindAllString(v.get("/").body, -1) {
			a := v.get(path)
			wantStatus(t, path, a, http.StatusOK)
			if got := a.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("Cache-Control of %s = %q, want immutable", path, got)
			}
			if got := a.Header.Get("Vary") + a.Header.Get("Set-Cookie"); got != "" {
				t.Errorf("%s depends on the session: %q", path, got)
			}
		}
	})
}
