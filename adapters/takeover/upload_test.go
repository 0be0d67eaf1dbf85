package takeover_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/coatcheck/session/adapters/takeover"
)

// The server removes the files of the request that it knows. With an old cookie, a handler parses a copy of a copy.
func TestAnUploadLeavesNoFileBehind(t *testing.T) {
	for name, panics := range map[string]bool{"": false, "panic": true} {
		t.Run(name, func(t *testing.T) {
			ownTempDir(t)
			s, there := open(t, oldSCS(t), 1, takeover.Options{}), 0
			server := httptest.NewServer(s.takeover.Middleware(s.sessions.Preload(http.HandlerFunc(
				func(_ http.ResponseWriter, r *http.Request) {
					if err := r.ParseMultipartForm(1); err != nil {
						t.Error(err)
					}
					there = uploads(t)
					if panics {
						panic(http.ErrAbortHandler)
					}
				}))))
			postFile(t, server.URL, s.signIn("ada"))
			server.Close()
			if left := uploads(t); left != 0 || there != 1 {
				t.Errorf("%d files, and %d are left", there, left)
			}
		})
	}
}

// postFile sends a form with a file.
func postFile(t *testing.T, url string, cookie *http.Cookie) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("picture", "a.png")
	_, _ = part.Write(make([]byte, 1<<10))
	_ = form.Close()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.AddCookie(cookie)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func uploads(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// ownTempDir has the files of this test go to a folder of their own, on Windows (TMP) as elsewhere.
func ownTempDir(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
}
