package guard_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/coatcheck/session/guard"
)

// endless is a body that never ends, and counts what is read of it.
type endless struct {
	head string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	if n == 0 {
		n = len(p)
		clear(p)
	}
	e.read += n
	return n, nil
}

func (e *endless) Close() error { return nil }

// mostRead is how much of a stranger's body a guard may read.
const mostRead = 1 << 20

// uploads is a form of a large file, which Request.ParseMultipartForm would put on the disk.
const uploads = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"

// tempDir is where files would go that this test's code makes.
func tempDir(t *testing.T) (files func() []os.DirEntry) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // on Windows
	return func() []os.DirEntry {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
}

// A stranger's body costs us no more than a bound, whatever it is, and nothing of it reaches the disk.
func TestAStrangersBodyIsReadUpToABoundAndNeverWritten(t *testing.T) {
	files := tempDir(t)
	r := newRig(t, guard.Options{})
	for name, h := range map[string]http.Handler{"CSRF": r.CSRF(inside), "Sessions": r.Sessions()} {
		for kind, head := range map[string]string{
			"application/x-www-form-urlencoded": "a=",
			"multipart/form-data; boundary=x":   uploads,
			"multipart/mixed; boundary=x":       uploads,
			"multipart/form-data":               uploads,
			"application/octet-stream":          "",
			"text/html; a=b; a=c":               "",
			"":                                  "",
		} {
			body := &endless{head: head}
			req := request("POST", "/devices", "Content-Type: "+kind)
			req.Body = body
			if w := r.visitor().send(h, req); w.Code != 403 || body.read > mostRead {
				t.Errorf("%s of %q: status %d after %d bytes, want 403", name, kind, w.Code, body.read)
			}
		}
	}
	if got := files(); len(got) != 0 {
		t.Errorf("the disk has %v", got)
	}
}

// What was read to look for the token is there for the handler, which has limits of its own.
func TestTheHandlerReadsTheWholeBodyAfterTheLook(t *testing.T) {
	files := tempDir(t)
	r := newRig(t, guard.Options{})
	v := r.visitor()
	var got []byte
	h := r.CSRF(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			formPage(w, req)
			return
		}
		if req.PostForm != nil || req.MultipartForm != nil {
			t.Error("the form is parsed already, without the handler's limits")
		}
		var err error
		if got, err = io.ReadAll(http.MaxBytesReader(w, req.Body, 5<<20)); err != nil {
			t.Error(err)
		}
		if err := req.Body.Close(); err != nil {
			t.Error(err)
		}
	}))
	token := v.token(h)
	for name, sent := range map[string]*body{
		"a form":                 formBody("", token, 10),
		"a long form":            formBody("", token, 4<<20),
		"a form with files":      fileBody(t, token, 10, 10),
		"a form with long files": fileBody(t, token, 100, 4<<20),
	} {
		closed := false
		req := request("POST", "/form", "Content-Type: "+sent.kind)
		req.Body = closer{bytes.NewReader(sent.text), &closed}
		if w := v.send(h, req); w.Code != 200 || !bytes.Equal(got, sent.text) || !closed {
			t.Errorf("%s: status %d, %d bytes of %d, closed %v, want all of it",
				name, w.Code, len(got), len(sent.text), closed)
		}
	}
	if got := files(); len(got) != 0 {
		t.Errorf("the disk has %v", got)
	}
}

// closer says when it is closed.
type closer struct {
	io.Reader
	closed *bool
}

func (c closer) Close() error { *c.closed = true; return nil }

// body is one that a browser sends.
type body struct {
	kind string
	text []byte
}

// formBody has the token behind what comes first, and padding.
func formBody(first, token string, padding int) *body {
	text := first + field(token).Encode() + "&text=" + strings.Repeat("a", padding)
	return &body{"application/x-www-form-urlencoded", []byte(text)}
}

// fileBody has a file before the token, and one behind it.
func fileBody(t *testing.T, token string, before, behind int) *body {
	t.Helper()
	var text bytes.Buffer
	mw := multipart.NewWriter(&text)
	for i, size := range []int{before, behind} {
		file, err := mw.CreateFormFile("file", "csrf_token")
		_, err2 := io.WriteString(file, strings.Repeat("a", size))
		var err3 error
		if i == 0 {
			err3 = mw.WriteField(guard.CSRFFormField, token)
		}
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
	}
	if err := mw.Close(); err != nil {
		t.Fatal(err)
	}
	return &body{mw.FormDataContentType(), text.Bytes()}
}

// Where in the body a token may stand, and where it is none.
func TestATokenIsFoundWhereAFormHasIt(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, h := r.visitor(), r.CSRF(formPage)
	token := v.token(h)
	file := func(name, disposition string) *body {
		return &body{"multipart/form-data; boundary=x", fmt.Appendf(nil,
			"--x\r\nContent-Disposition: %s; name=%q\r\n\r\n%s\r\n--x--\r\n", disposition, name, token)}
	}
	plain, upright := []byte(field(token).Encode()), file("csrf_token", "form-data")
	cut := "a=" + strings.Repeat("a", mostRead-len("a=&csrf_token=")-len(token)+1) + "&"
	escaped := strings.ReplaceAll(token, token[:1], fmt.Sprintf("%%%02x", token[0]))
	for name, tt := range map[string]struct {
		sent *body
		ok   bool
	}{
		"behind other fields":         {formBody("a=1&b=%zz&", token, 0), true},
		"escaped":                     {formBody("csrf%5ftoken="+escaped+"&", "", 0), true},
		"the first of two":            {formBody("csrf_token="+token+"&", "x", 0), true},
		"the second of two":           {formBody("csrf_token=x&", token, 0), false},
		"in capitals of the type":     {&body{"Application/X-WWW-Form-Urlencoded; charset=utf-8", plain}, true},
		"in another type":             {&body{"text/plain", plain}, false},
		"in the name of a field":      {formBody(token+"=csrf_token&", "", 0), false},
		"behind the bound":            {formBody("a="+strings.Repeat("a", mostRead)+"&", token, 0), false},
		"at the bound, cut off":       {formBody(cut, token, 0), false},
		"a field of a multipart body": {upright, true},
		"a file":                      {file("csrf_token", `form-data; filename="a"`), false},
		"another disposition":         {file("csrf_token", "attachment"), false},
		"behind a large file":         {fileBody(t, token, mostRead, 0), false},
		"a multipart body cut off":    {&body{upright.kind, upright.text[:80]}, false},
		"cut off behind the token": {
			&body{upright.kind, bytes.TrimSuffix(upright.text, []byte("\r\n--x--\r\n"))}, false},
	} {
		req := request("POST", "/form", "Content-Type: "+tt.sent.kind)
		req.Body = io.NopCloser(bytes.NewReader(tt.sent.text))
		if w := v.send(h, req); tt.ok != (w.Code == 200) {
			t.Errorf("%s: status %d, want it let through: %v", name, w.Code, tt.ok)
		}
	}
}

// Whoever stands outside may have parsed the form already; then the body is empty.
func TestATokenIsFoundInAFormThatIsParsedAlready(t *testing.T) {
	r := newRig(t, guard.Options{})
	v, h := r.visitor(), r.CSRF(formPage)
	token := v.token(h)
	parsed := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := req.ParseMultipartForm(1 << 20); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			t.Error(err)
		}
		h.ServeHTTP(w, req)
	})
	for _, sent := range []*body{formBody("", token, 1), fileBody(t, token, 1, 1)} {
		req := request("POST", "/form", "Content-Type: "+sent.kind)
		req.Body = io.NopCloser(bytes.NewReader(sent.text))
		wantInside(t, v.send(parsed, req))
	}
}

// The way back is looked for in the same manner.
func TestTheWayBackCostsNoMoreThanABound(t *testing.T) {
	files := tempDir(t)
	sent := &endless{head: uploads}
	req := httptest.NewRequest("POST", "/login?"+url.Values{guard.ReturnParam: {"/account"}}.Encode(), nil)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	req.Body = sent
	if got := guard.ReturnPath(req, "/"); got != "/account" || sent.read > mostRead {
		t.Errorf("ReturnPath = %q after %d bytes, want the one of the address", got, sent.read)
	}
	if got := files(); len(got) != 0 {
		t.Errorf("the disk has %v", got)
	}
}

// A way back that is cut off at the bound is none: half of an address is another address.
func TestAWayBackThatIsCutOffIsNone(t *testing.T) {
	text := "a=" + strings.Repeat("a", mostRead-len("a=&return=/orders/1")) + "&return=/orders/12"
	req := httptest.NewRequest("POST", "/login", strings.NewReader(text))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := guard.ReturnPath(req, "/home"); got != "/home" {
		t.Errorf("ReturnPath = %q, want the fallback", got)
	}
	if got := req.PostFormValue(guard.ReturnParam); got != "/orders/12" {
		t.Errorf("afterwards the form has %q, want all of it", got)
	}
}
