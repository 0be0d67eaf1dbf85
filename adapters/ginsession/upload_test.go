package ginsession_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"testing"

	"github.com/gin-gonic/gin"
)

// The server removes the files of the request that it knows. A handler parses a copy of it.
func TestAnUploadLeavesNoFileBehind(t *testing.T) {
	for name, end := range map[string]func(c *gin.Context){
		"": func(*gin.Context) {}, "panic": func(*gin.Context) { panic("boom") },
		"another request": func(c *gin.Context) { c.Request = c.Request.WithContext(t.Context()) },
	} {
		for protocol, http2 := range protocols {
			t.Run(name+" "+protocol, func(t *testing.T) {
				ownTempDir(t)
				there := 0
				s := open(t, http2, func(e *gin.Engine) {
					e.POST("/", func(c *gin.Context) {
						if err := c.Request.ParseMultipartForm(1); err != nil {
							t.Error(err)
						}
						there = uploads(t)
						end(c)
					})
				})
				postFile(t, s.browser, s.server.URL)
				s.server.Close()
				if left := uploads(t); left != 0 || there != 1 {
					t.Errorf("%d files, and %d are left", there, left)
				}
			})
		}
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
