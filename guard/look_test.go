package guard_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session/guard"
)

// On a real server the look leaves the connection as it was: what is left of the body is read or dropped as ever.
func TestTheLookWorksOnARealServer(t *testing.T) {
	files := tempDir(t)
	r := newRig(t, guard.Options{})
	h := r.CSRF(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			formPage(w, req)
			return
		}
		n, err := io.Copy(io.Discard, req.Body)
		fmt.Fprint(w, n, err)
	}))
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(h)
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		v := r.visitor()
		token := v.token(h)
		long, short := fileBody(t, token, 10, 8<<20), fileBody(t, token, 10, 10)
		want := fmt.Sprint("200 ", len(long.text), nil)
		if got := upload(t, server, long, v.cookies["__Host-csrf"]); got != want {
			t.Errorf("HTTP/2 %v: answered %q, want %q", http2, got, want)
		}
		if got := upload(t, server, short, ""); !strings.HasPrefix(got, "403 ") {
			t.Errorf("HTTP/2 %v, without a cookie: answered %q, want 403", http2, got)
		}
	}
	if got := files(); len(got) != 0 {
		t.Errorf("the disk has %v", got)
	}
}

// upload sends a body, and returns the status and the text of the answer.
func upload(t *testing.T, server *httptest.Server, sent *body, cookie string) string {
	t.Helper()
	req, err := http.NewRequest("POST", server.URL+"/form", bytes.NewReader(sent.text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", sent.kind)
	req.AddCookie(&http.Cookie{Name: "__Host-csrf", Value: cookie})
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, text)
}
