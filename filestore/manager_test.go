package filestore_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// Through a manager, a file is made by the first change, replaced by the next, read by another process,
// and gone when the session has ended and the grace of its ticket with it.
func TestAVisitorsFileComesChangesAndGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sessions")
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1}
	first, second := process(t, dir, opts), process(t, dir, opts)
	client := first.Client()
	client.Jar, _ = cookiejar.New(nil)

	wantAnswer(t, client, first, "", "map[]")
	wantRecords(t, dir, 0)
	wantAnswer(t, client, first, "?set=a", "map[a:1]")
	wantAnswer(t, client, first, "?set=a&set=b", "map[a:2 b:1]")
	wantAnswer(t, client, second, "", "map[a:2 b:1]")
	wantAnswer(t, client, second, "?remove=a", "map[b:1]")
	wantRecords(t, dir, 1)
	wantAnswer(t, client, first, "?logout", "map[]")

	later := opts
	later.Now = func() time.Time { return time.Now().Add(time.Hour) }
	sessions, err := session.New(reopen(t, dir, filestore.Options{}), later)
	if err != nil {
		t.Fatal(err)
	}
	defer sessions.Close()
	if _, err := sessions.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, dir, 0)
	wantAnswer(t, client, second, "?set=a", "map[a:1]")
}

// process is one that serves the sessions of the folder. All are one host to a browser, for a jar does not look at
// ports.
func process(t *testing.T, dir string, opts session.Options) *httptest.Server {
	sessions, err := session.New(reopen(t, dir, filestore.Options{}), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sessions.Close() })
	server := httptest.NewTLSServer(sessions.HandlerFunc(change))
	t.Cleanup(server.Close)
	return server
}

func change(w http.ResponseWriter, r *http.Request, s *session.Session) {
	query := r.URL.Query()
	for _, key := range query["set"] {
		session.Key[int](key).Update(s, func(n int) int { return n + 1 })
	}
	s.Remove(query["remove"]...)
	if query.Has("logout") {
		s.Logout()
	}
	fmt.Fprint(w, s.All())
}

func wantAnswer(t *testing.T, client *http.Client, server *httptest.Server, query, want string) {
	t.Helper()
	resp, err := client.Get(server.URL + "/" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != want {
		t.Errorf("%q answers %s, %v, want %s", query, body, err, want)
	}
}

func wantRecords(t *testing.T, dir string, want int) {
	t.Helper()
	files := filesIn(t, filepath.Join(dir, "records"))
	files = slices.DeleteFunc(files, func(name string) bool { return isOurs(filepath.Base(name)) })
	if len(files) != want {
		t.Errorf("%d records, want %d: %v", len(files), want, files)
	}
}
