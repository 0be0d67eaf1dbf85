package guard_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session/guard"
)

// The server removes the files of the request that it knows. A handler parses a copy of it, or one of a copy.
func TestAnUploadLeavesNoFileBehind(t *testing.T) {
	r := newRig(t, guard.Options{})
	signIn := r.SignIn(func(*http.Request) string { return "" })
	for name, around := range map[string]func(http.Handler) http.Handler{
		"CSRF": r.CSRF, "SignIn": signIn,
		"one in the other": func(h http.Handler) http.Handler { return r.CSRF(signIn(h)) },
		"inside Preload":   func(h http.Handler) http.Handler { return r.m.Preload(r.CSRF(h)) },
	} {
		for way, panics := range map[string]bool{"": false, ", panic": true} {
			t.Run(name+way, func(t *testing.T) {
				files, there := tempDir(t), 0
				server := httptest.NewServer(around(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
					if err := req.ParseMultipartForm(1); err != nil {
						t.Error(err)
					}
					there = len(files())
					if panics {
						panic(http.ErrAbortHandler)
					}
				})))
				postFile(t, server.URL)
				server.Close()
				if left := len(files()); left != 0 || there != 1 {
					t.Errorf("%d files, and %d are left", there, left)
				}
			})
		}
	}
}

// postFile sends a form with a file, as a page of the site does.
func postFile(t *testing.T, url string) {
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
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
