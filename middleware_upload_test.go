package session_test

import (
	"bytes"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/coatcheck/session"
)

// upload posts a form with a file to a handler on a server, closes that, and returns how many files there are then.
func upload(t *testing.T, h http.Handler, http2 bool) int {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2, server.Config.ErrorLog = http2, log.New(io.Discard, "", 0)
	server.StartTLS()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("picture", "a.png")
	_, _ = part.Write(make([]byte, 1<<10))
	_ = form.Close()
	if resp, err := server.Client().Post(server.URL, form.FormDataContentType(), &body); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	server.Close()
	return filesIn(t, os.TempDir())
}

func filesIn(t *testing.T, dir string) int {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// The server removes the files of the request that it knows. A handler parses a copy of it.
func TestAnUploadLeavesNoFileBehind(t *testing.T) {
	r := newRig(t)
	skips := newRig(t, func(o *session.Options) { o.Skip = func(*http.Request) bool { return true } })
	for name, around := range map[string]func(http.Handler) http.Handler{
		"Middleware":           r.Middleware,
		"Preload":              r.Preload,
		"Preload, skipped":     skips.Preload,
		"twice":                func(h http.Handler) http.Handler { return r.Preload(r.Middleware(h)) },
		"two managers":         func(h http.Handler) http.Handler { return newRig(t).Preload(r.Preload(h)) },
		"within, and skipped":  func(h http.Handler) http.Handler { return r.Middleware(skips.Middleware(h)) },
		"recovered outside":    func(h http.Handler) http.Handler { return recoverer(r.Middleware(h)) },
		"recovered in between": func(h http.Handler) http.Handler { return r.Middleware(recoverer(skips.Preload(h))) },
	} {
		for way, c := range map[string]struct{ http2, panics bool }{
			"": {}, ", HTTP/2": {true, false}, ", panic": {false, true}, ", HTTP/2, panic": {true, true},
		} {
			t.Run(name+way, func(t *testing.T) {
				ownTempDir(t)
				var there int
				left := upload(t, around(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
					err := req.ParseMultipartForm(1)
					if there = filesIn(t, os.TempDir()); err != nil || there != 1 {
						t.Errorf("%d files, %v", there, err)
					}
					if c.panics {
						panic(http.ErrAbortHandler)
					}
				})), c.http2)
				if left > 0 || there == 0 {
					t.Errorf("%d files are left", left)
				}
			})
		}
	}
}

// What stands around Middleware has the files that the handler had, and so has the answer to a failed commit, if it is
// not the first to ask for them.
func TestAnUploadIsThereUntilTheResponseIsOver(t *testing.T) {
	for name, parse := range map[string]func(*http.Request) error{
		"parsed by the handler": func(req *http.Request) error { return req.ParseMultipartForm(1) },
		"parsed by the answer":  func(*http.Request) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ownTempDir(t)
			r := newRig(t, func(o *session.Options) {
				o.OnError = func(_ http.ResponseWriter, req *http.Request, _ error) { readUpload(t, req) }
			})
			r.failing("save")
			h := r.HandlerFunc(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
				s.Set("x", parse(req) == nil)
			})
			left := upload(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				h.ServeHTTP(w, req)
				readUpload(t, req)
			}), false)
			if left > 0 {
				t.Errorf("%d files are left", left)
			}
		})
	}
}

func readUpload(t *testing.T, req *http.Request) {
	t.Helper()
	if err := req.ParseMultipartForm(1); err != nil {
		t.Error(err)
		return
	}
	file, _, err := req.FormFile("picture")
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	if text, err := io.ReadAll(file); err != nil || len(text) != 1<<10 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// ownTempDir has the files of this test go to a folder of their own, on Windows (TMP) as elsewhere.
func ownTempDir(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
}
