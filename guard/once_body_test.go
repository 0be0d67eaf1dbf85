package guard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// multipartBody is a form with a file in it.
func multipartBody(t *testing.T, fields url.Values) *body {
	t.Helper()
	var text bytes.Buffer
	mw := multipart.NewWriter(&text)
	file, err := mw.CreateFormFile("file", "a.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(file, strings.Repeat("x", 30_000))
	for name, values := range fields {
		_ = mw.WriteField(name, values[0])
	}
	if err := mw.Close(); err != nil {
		t.Fatal(err)
	}
	return &body{mw.FormDataContentType(), text.Bytes()}
}

// partOf reads a field as a handler does that takes large files.
func partOf(r *http.Request, name string) string {
	parts, err := r.MultipartReader()
	if err != nil {
		return err.Error()
	}
	for {
		p, err := parts.NextPart()
		if err != nil {
			return ""
		}
		if p.FormName() == name {
			text, _ := io.ReadAll(p)
			return string(text)
		}
	}
}

// However the request is described, the handler reads it as if nobody had: what was confirmed is what is done.
func TestTheHandlerReadsTheRequestAsItCame(t *testing.T) {
	readers := map[string]func(*http.Request) string{
		"FormValue":       func(r *http.Request) string { return r.FormValue("to") },
		"MultipartReader": func(r *http.Request) string { return partOf(r, "to") },
		"ParseMultipartForm": func(r *http.Request) string {
			_ = r.ParseMultipartForm(1) // on the disk
			return r.PostFormValue("to")
		},
	}
	files := tempDir(t)
	sent := multipartBody(t, to("bob"))
	for described, describe := range readers {
		for done, do := range readers {
			r := newRig(t, guard.Options{})
			v := r.signIn("ada")
			h := r.Once("transfer", describe)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Form != nil || r.MultipartForm != nil {
					t.Errorf("described by %s: the handler gets a form that it has not parsed", described)
				}
				_, _ = io.WriteString(w, do(r))
				if r.MultipartForm != nil {
					_ = r.MultipartForm.RemoveAll()
				}
				_ = r.Body.Close()
			}))
			closed := false
			send := func() *httptest.ResponseRecorder {
				req := request("POST", "/", asJSON, "Content-Type: "+sent.kind)
				req.Body = closer{bytes.NewReader(sent.text), &closed}
				return v.send(h, req)
			}
			op := operation(t, send())
			if err := v.confirm(op.ID); err != nil {
				t.Fatal(err)
			}
			if w := send(); w.Code != 200 || w.Body.String() != "bob" || op.Text != "bob" || !closed {
				t.Errorf("described by %s as %q, and read by %s: status %d, %s, closed %v", described, op.Text, done,
					w.Code, w.Body, closed)
			}
		}
	}
	if left := files(); len(left) != 0 {
		t.Errorf("on the disk are %v", left)
	}
}

// Whoever confirms nothing would confirm all that is described so.
func TestAnOperationWithoutADescriptionIsNotDone(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	for _, text := range []string{"", " ", "\n\t\n"} {
		h := r.Once("transfer", func(*http.Request) string { return text })(inside)
		wantProblem(t, v.post(h, "/", to("bob"), asJSON), 400, guard.BadBody)
	}
	if asked := v.asked(); len(asked) != 0 {
		t.Errorf("it is asked about %+v", asked)
	}
}

// A form that is sent in any manner is asked about and done once, over a real connection.
func TestARequestIsConfirmedHoweverItIsSent(t *testing.T) {
	many := url.Values{"to": {"bob"}, "sum": {"100"}}
	for i := range 5000 {
		many.Set("field"+strconv.Itoa(i), "x")
	}
	r := newRig(t, guard.Options{})
	var b *bank
	var v *visitor
	for name, send := range map[string]func(address string) *http.Request{
		"with a length": func(a string) *http.Request { return formRequest(a, strings.NewReader(to("bob").Encode())) },
		"in chunks": func(a string) *http.Request {
			return formRequest(a, io.MultiReader(strings.NewReader("to=bob"), strings.NewReader("&sum=100")))
		},
		"5000 fields": func(a string) *http.Request { return formRequest(a, strings.NewReader(many.Encode())) },
		"after 100 Continue": func(a string) *http.Request {
			req := formRequest(a, strings.NewReader(to("bob").Encode()))
			req.Header.Set("Expect", "100-continue")
			return req
		},
		"twice the same field": func(a string) *http.Request {
			return formRequest(a, strings.NewReader(to("bob").Encode()+"&to=mallory&sum=1000"))
		},
		"in the address as well": func(a string) *http.Request {
			return formRequest(a+"?to=mallory&sum=1000", strings.NewReader(to("bob").Encode()))
		},
	} {
		b, v = newBank(r), r.signIn("ada")
		serve(t, b, func(t *testing.T, client *http.Client, address string) {
			do := func() (*http.Response, string) {
				req := send(address)
				for name, value := range v.cookies {
					req.AddCookie(&http.Cookie{Name: name, Value: value})
				}
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return resp, string(text)
			}
			b.done.Store(0)
			resp, text := do()
			var p struct{ Operation guard.Operation }
			if err := json.Unmarshal([]byte(text), &p); err != nil || p.Operation.Text != "Send 100 to bob" {
				t.Fatalf("%s: status %d, %v: %s", name, resp.StatusCode, err, text)
			}
			if err := v.confirm(p.Operation.ID); err != nil {
				t.Fatal(err)
			}
			if resp, text = do(); resp.StatusCode != 200 || text != "100" {
				t.Errorf("%s: status %d: %s", name, resp.StatusCode, text)
			}
			if resp, _ = do(); resp.StatusCode != 401 {
				t.Errorf("%s, again: status %d", name, resp.StatusCode)
			}
			b.want(t, 1)
		})
	}
}

func formRequest(address string, text io.Reader) *http.Request {
	req := httptest.NewRequest("POST", address, text)
	req.RequestURI = ""
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// Both tabs of one browser have their operations, in either order.
func TestTwoTabsConfirmTwoOperations(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	one := operation(t, v.post(b, "/", to("bob"), asJSON))
	two := operation(t, v.post(b, "/", to("eve"), asJSON))
	for _, id := range []string{two.ID, one.ID} {
		if err := v.confirm(id); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []string{"bob", "eve"} {
		if w := v.post(b, "/", to(who)); w.Code != 200 {
			t.Errorf("to %s: status %d", who, w.Code)
		}
	}
	b.want(t, 2)
}

// The page that confirms may be sent twice, and the second one arrive when all is done.
func TestWhatWasDoneMeanwhileIsNotConfirmedAgain(t *testing.T) {
	r := newRig(t, guard.Options{})
	b, v := newBank(r), r.signIn("ada")
	op := operation(t, v.post(b, "/", to("bob"), asJSON))
	late := r.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { // it is loaded
		if err := v.confirm(op.ID); err != nil {
			t.Fatal(err)
		}
		if w := v.post(b, "/", to("bob")); w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
		_ = r.Confirm(s, op.ID, "otp")
	})
	v.clone().get(late, "/confirm")
	operation(t, v.post(b, "/", to("bob"), asJSON))
	b.want(t, 1)
}

// A confirmation that cannot be taken lets nothing through, and a lost answer may have taken it.
func TestNothingIsDoneWhileTheStoreFails(t *testing.T) {
	store := &losing{Store: memstore.New(memstore.Options{})}
	down := &failingOnce{Store: store.Store}
	c := &clock{t: time.Unix(1e9, 0)}
	r := newRigOn(t, store, c, guard.Options{})
	broken := newBank(newRigOn(t, down, c, guard.Options{}))
	b, v := newBank(r), r.signIn("ada")
	op := operation(t, v.post(b, "/", to("bob"), asJSON))
	if err := v.confirm(op.ID); err != nil {
		t.Fatal(err)
	}
	down.err = errors.New("disk full")
	if w := v.post(broken, "/", to("bob")); w.Code != 503 || len(w.Result().Cookies()) != 0 {
		t.Errorf("a store that saves nothing: status %d, cookies %v", w.Code, w.Result().Cookies())
	}
	broken.want(t, 0)
	store.lose = true
	if w := v.post(b, "/", to("bob")); w.Code != 503 {
		t.Errorf("an answer that is lost: status %d", w.Code)
	}
	b.want(t, 0)
	store.lose = false
	operation(t, v.post(b, "/", to("bob"), asJSON))
}

// Long texts that nobody confirms leave room in a session that travels in a cookie, also long after.
func TestWhatIsAskedAboutLeavesRoomInACookie(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, store, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
	v := r.signIn("ada")
	h := r.Once("note", func(r *http.Request) string { return r.FormValue("to") + strings.Repeat(" a", 250) })(inside)
	confirmed := []string{"ann", "bob", "cyd"}
	for _, who := range confirmed {
		if err := v.confirm(operation(t, v.post(h, "/", to(who), asJSON)).ID); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		who := "eve " + strconv.Itoa(i)
		op := operation(t, v.post(h, "/", to(who), asJSON))
		if asked := v.asked(); asked[0].ID != op.ID || !strings.HasPrefix(asked[0].Text, who) {
			t.Errorf("it is asked about %+v", asked)
		}
	}
	r.clock.advance(time.Minute)
	v.with(func(s *session.Session) { s.Set("cart", strings.Repeat("x", 500)) })
	for _, who := range confirmed {
		if w := v.post(h, "/", to(who), asJSON); w.Code != 200 {
			t.Errorf("what was confirmed has made room: status %d", w.Code)
		}
	}
	r.clock.advance(time.Hour)
	v.with(func(s *session.Session) { s.Set("cart", strings.Repeat("x", 600)) })
}

// A body without end costs no more than a bound, nothing of it is on the disk, and what it says does not count.
func TestABodyWithoutEndIsReadUpToABound(t *testing.T) {
	files := tempDir(t)
	r := newRig(t, guard.Options{})
	user := func(r *http.Request) string {
		_ = r.ParseMultipartForm(1)
		return r.PostFormValue("user")
	}
	runs := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler runs") })
	for name, h := range map[string]http.Handler{
		"Once": r.Once("transfer", user)(runs), "SignIn": r.SignIn(user)(runs),
		"Rate": r.Rate(guard.Limit{By: guard.Account(user), Requests: 100, Per: time.Hour})(runs),
	} {
		for kind, head := range map[string]string{
			"application/x-www-form-urlencoded": "user=ann&to=bob&x=", "multipart/form-data; boundary=x": uploads,
		} {
			sent := &endless{head: head}
			req := request("POST", "/", asJSON, "Content-Type: "+kind)
			req.Body = sent
			if w := r.signIn("ada").send(h, req); w.Code != 413 || sent.read > mostRead+bytes.MinRead {
				t.Errorf("%s of %s: status %d after %d bytes, want 413", name, kind, w.Code, sent.read)
			}
		}
	}
	if left := files(); len(left) != 0 {
		t.Errorf("on the disk are %v", left)
	}
}
