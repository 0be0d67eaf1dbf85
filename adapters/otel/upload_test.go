package otelsession_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"testing"
)

// The server removes the files of the request that it knows. A handler parses a copy of it.
func TestAnUploadLeavesNoFileBehind(t *testing.T) {
	for name, panics := range map[string]bool{"": false, "panic": true} {
		t.Run(name, func(t *testing.T) {
			ownTempDir(t)
			there := 0
			s := open(t, map[string]http.HandlerFunc{"/": func(_ http.ResponseWriter, r *http.Request) {
				if err := r.ParseMultipartForm(1); err != nil {
					t.Error(err)
				}
				there = uploads(t)
				if panics {
					panic(http.ErrAbortHandler)
				}
			}})
			postFile(t, s.browser, s.server.URL)
			s.server.Close()
			if left := uploads(t); left != 0 || there != 1 {
				t.Errorf("%d files, and %d are left", there, left)
			}
		})
	}
}

// postFile sends a form with a file.
func postFile(t *testing.T, client *http.Client, url string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("picture", "a.png")
	_, _ = part.Write(make([]byte, 1<<10))
	_ = form.Close()
	if resp, err := client.Post(url, form.FormDataContentType(), &body); err == nil {
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
