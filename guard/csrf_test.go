package guard_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// formPage is a page with a form, and the target of one.
var formPage = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, string(guard.CSRFField(r)))
		return
	}
	inside(w, r)
})

var fieldValue = regexp.MustCompile(`^<input type="hidden" name="csrf_token" value="([A-Za-z0-9_-]+)">$`)

// token reads the token of the page with the form.
func (v *visitor) token(h http.Handler) string {
	v.r.t.Helper()
	w := v.get(h, "/form", asPage)
	m := fieldValue.FindStringSubmatch(w.Body.String())
	if m == nil {
		v.r.t.Fatalf("status %d, no field in %q", w.Code, w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		v.r.t.Errorf("the page with the token has Cache-Control %q, want no-store", w.Header().Get("Cache-Control"))
	}
	return m[1]
}

func field(token string) url.Values { return url.Values{guard.CSRFFormField: {token}} }

// The truth table of what browsers say, the http twin of a trusted origin included. It is the same behind a proxy that
// ends TLS.
func TestRequestsAreJudgedByWhatTheBrowserSays(t *testing.T) {
	cross := http.NewCrossOriginProtection()
	if err := cross.AddTrustedOrigin("https://partner.example"); err != nil {
		t.Fatal(err)
	}
	if err := cross.AddTrustedOrigin("http://plain.example"); err != nil {
		t.Fatal(err)
	}
	cross.AddInsecureBypassPattern("POST /hook")
	r := newRig(t, guard.Options{CrossOrigin: cross})
	h := r.CSRF(formPage)
	const origin = "Origin: "
	for _, tt := range []struct {
		method, path string
		header       []string
		ok           bool
	}{
		{"POST", "/", []string{same}, true},
		{"POST", "/", []string{"Sec-Fetch-Site: none"}, true},
		{"POST", "/", []string{"Sec-Fetch-Site: same-site"}, false},
		{"POST", "/", []string{"Sec-Fetch-Site: cross-site"}, false},
		{"POST", "/", []string{"Sec-Fetch-Site: cross-site", origin + "https://partner.example"}, true},
		{"POST", "/", []string{"Sec-Fetch-Site: cross-site", origin + "http://partner.example"}, false},
		{"POST", "/", []string{origin + site}, true},
		{"POST", "/", []string{origin + "https://partner.example"}, true},
		{"POST", "/", []string{origin + "http://plain.example"}, true},
		{"POST", "/", []string{origin + "http://partner.example"}, false},
		{"POST", "/", []string{origin + "https://evil.example"}, false},
		{"POST", "/", []string{origin + "https://app.example.com.evil.example"}, false},
		{"POST", "/", []string{origin + "null"}, false},
		{"POST", "/", []string{origin + "http://app.example.com"}, false}, // the http twin
		{"POST", "/", []string{origin + "HTTP://app.example.com"}, false},
		{"POST", "/", nil, false},
		{"PUT", "/", nil, false},
		{"DELETE", "/", nil, false},
		{"PATCH", "/", []string{"Content-Type: application/json"}, false},
		{"POST", "/hook", nil, true},
		{"POST", "/hook", []string{"Sec-Fetch-Site: cross-site"}, true},
		{"PUT", "/hook", nil, false},
		{"HEAD", "/", nil, true},
		{"OPTIONS", "/", []string{"Sec-Fetch-Site: cross-site"}, true},
	} {
		for _, state := range []*tls.ConnectionState{{}, nil} {
			req := request(tt.method, tt.path, append(tt.header, asJSON)...)
			req.TLS = state
			w := r.visitor().send(h, req)
			if tt.ok != (w.Code == 200) {
				t.Errorf("%s %s %q, TLS here: %v: status %d, want it let through: %v", tt.method, tt.path, tt.header,
					state != nil, w.Code, tt.ok)
			}
			if !tt.ok {
				wantProblem(t, w, 403, guard.CrossOrigin)
			}
		}
	}
}

// Where a proxy takes the Host away, as HTTP/1.0 allows, there is nothing with which an Origin could agree.
func TestAnOriginThatNamesNoHostIsNotThatOfASiteWithoutOne(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	v := r.visitor()
	token := v.token(h)
	for _, origin := range []string{"null", "file://", "https://", "data:", site} {
		bare := request("POST", "/", "Origin: "+origin, asJSON)
		bare.Host = ""
		wantProblem(t, v.send(h, bare), 403, guard.CrossOrigin)
	}
	bare := request("POST", "/", "X-CSRF-Token: "+token)
	bare.Host = ""
	wantInside(t, v.send(h, bare))
}

// A site without TLS, as in development, says so by cookies that are not Secure. Its own origin is one of http.
func TestASiteWithoutTLSIsItsOwnOrigin(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.Cookie.Insecure = true })
	h := r.CSRF(formPage)
	plain := request("POST", "/", "Origin: http://app.example.com")
	plain.TLS = nil
	wantInside(t, r.visitor().send(h, plain))
	over := request("POST", "/", "Origin: http://app.example.com", asJSON)
	over.TLS = &tls.ConnectionState{} // which is proof that there is TLS
	wantProblem(t, r.visitor().send(h, over), 403, guard.CrossOrigin)
}

// An empty token, a wrong one and one in the wrong place admit nothing.
// A token in the form or the header; never one in the address, and no text that breaks the comparison.
func TestAnOlderBrowserSendsTheToken(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	for name, v := range map[string]*visitor{"a user": r.signIn("ada"), "a stranger": r.visitor()} {
		token := v.token(h)
		wantInside(t, v.post(h, "/form", field(token)))
		wantInside(t, v.post(h, "/form", nil, guard.CSRFHeader+": "+token))
		wantInside(t, v.send(h, multipartRequest(t, token)))
		for what, w := range map[string]*httptest.ResponseRecorder{
			"no token":                 v.post(h, "/form", nil),
			"an empty token":           v.post(h, "/form", field("")),
			"a token in the address":   v.post(h, "/form?"+field(token).Encode(), nil),
			"another token":            v.post(h, "/form", field(strings.Repeat("A", len(token)))),
			"half of a token":          v.post(h, "/form", field(token[:len(token)/2])),
			"a token with a line":      v.post(h, "/form", field(token[:10]+"\n"+token[10:])),
			"a token that is no ASCII": v.post(h, "/form", field("é"+token[2:])),
			"a wrong header":           v.post(h, "/form", field(token), guard.CSRFHeader+": x"),
			"no cookies":               r.visitor().post(h, "/form", field(token)),
		} {
			if w.Code != 403 {
				t.Errorf("%s with %s: status %d, want 403", name, what, w.Code)
			}
		}
	}
	wantPage(t, r.visitor().post(h, "/form", nil, asPage), 403)
}

func multipartRequest(t *testing.T, token string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	mw := multipart.NewWriter(&body)
	if err := mw.WriteField(guard.CSRFFormField, token); err != nil {
		t.Fatal(err)
	}
	if err := mw.Close(); err != nil {
		t.Fatal(err)
	}
	req := request("POST", "/form", "Content-Type: "+mw.FormDataContentType())
	req.Body = io.NopCloser(&body)
	return req
}

// The tokens of parallel tabs all hold.
func TestEveryTokenHoldsAndNoTwoLookAlike(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	for _, v := range []*visitor{r.signIn("ada"), r.visitor()} {
		seen := map[string]bool{}
		for range 20 {
			token := v.token(h)
			if seen[token[:20]] || seen[token[len(token)-20:]] {
				t.Error("two pages have a part of the token in common")
			}
			seen[token[:20]], seen[token[len(token)-20:]] = true, true
			wantInside(t, v.post(h, "/form", field(token)))
		}
	}
}

// A developer whose request is refused learns why, and a token is in no event and no log.
func TestTheReasonOfARefusalIsTold(t *testing.T) {
	var events []session.Event
	var log strings.Builder
	r := newRig(t, guard.Options{}, func(o *session.Options) {
		o.OnEvent = func(_ context.Context, e session.Event) { events = append(events, e) }
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	h := r.CSRF(formPage)
	v := r.visitor()
	token := v.token(h)
	for name, tt := range map[string]struct {
		fields url.Values
		header string
		why    string
	}{
		"another site":    {field(token), "Sec-Fetch-Site: cross-site", "Options.CrossOrigin"},
		"another origin":  {field(token), "Origin: https://evil.example", "Options.CrossOrigin"},
		"a program":       {nil, "", "Sec-Fetch-Site: same-origin"},
		"an old page":     {field(strings.Repeat("A", len(token))), "", "the last Login"},
		"a broken token":  {field("x"), "", "the last Login"},
		"a token of many": {nil, guard.CSRFHeader + ": " + token + token, "the last Login"},
	} {
		events = nil
		log.Reset()
		v.post(h, "/form", tt.fields, tt.header)
		refused := len(events) == 1 && events[0].Kind == session.EventRefused
		if !refused || !strings.Contains(events[0].Err.Error(), tt.why) {
			t.Errorf("%s: events %v, want one that says %q", name, events, tt.why)
		}
		logged := log.String()
		told := strings.Contains(logged, "level=INFO") && strings.Contains(logged, tt.why)
		if !told || strings.Contains(logged, token[:10]) {
			t.Errorf("%s: logged %s", name, logged)
		}
	}
	events = nil
	wantInside(t, v.post(h, "/form", field(token)))
	if w := r.visitor().get(r.User(inside), "/"); len(events) != 0 || w.Code != 401 {
		t.Errorf("events %v of what is let through, or needs a sign-in", events)
	}
}

func TestWithoutTheGuardThereIsNoToken(t *testing.T) {
	if got := guard.CSRFToken(request("GET", "/")); got != "" {
		t.Errorf("CSRFToken without CSRF = %q, want none", got)
	}
}
