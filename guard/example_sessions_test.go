package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"time"

	"github.com/coatcheck/session/guard"
)

// The page of devices in another language.
func ExampleWords() {
	words := guard.English()
	words.Lang, words.Title, words.ThisDevice = "de", "Deine Geräte", "dieses Gerät"
	words.Ago = func(d time.Duration) string {
		if d < 2*time.Minute {
			return "gerade eben"
		}
		return fmt.Sprintf("vor %d Minuten", int(d.Minutes()))
	}
	sessions, g := newGuard(guard.Options{Words: func(*http.Request) guard.Words { return words }})
	r := httptest.NewRequest("GET", "/devices", nil)
	r.Header.Set("Accept", "text/html")
	page := ask(g.Sessions(), r, login(sessions, "ada")).Body.String()
	for _, text := range []string{"Deine Geräte", "dieses Gerät", "gerade eben"} {
		fmt.Println(regexp.MustCompile(">" + text + "<").MatchString(page))
	}
	// Output:
	// true
	// true
	// true
}

// The page of devices in the site's own design.
func ExampleSessionsPage() {
	show := func(w http.ResponseWriter, _ *http.Request, p guard.SessionsPage) {
		for _, e := range p.Devices {
			fmt.Fprintf(w, "%s, %s, current: %v\n", e.Device, e.Ago, e.Current)
		}
	}
	sessions, g := newGuard(guard.Options{ShowSessions: show})
	r := httptest.NewRequest("GET", "/devices", nil)
	r.Header.Set("Accept", "text/html")
	fmt.Print(ask(g.Sessions(), r, login(sessions, "ada")).Body)
	// Output: Unknown device, just now, current: true
}
