package guard_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/guard"
)

func TestALimitOfMoreThanOneRequestAMicrosecondLetsRequestsThrough(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 3_000_000, Per: time.Second})(inside)
	v := r.signIn("ada")
	for range 3 {
		wantInside(t, v.get(h, "/"))
	}
}

func TestTheNameOfALimitIsSentInPrintableASCII(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Name: "a~ b\"é", Requests: 3, Per: time.Second})(inside)
	const want = `"a~ b\"?";`
	if got := r.signIn("ada").get(h, "/").Header().Get("RateLimit-Policy"); !strings.HasPrefix(got, want) {
		t.Errorf("RateLimit-Policy: %s, want it to begin with %s", got, want)
	}
}

func TestABurstOfOneIsOne(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 3, Per: time.Minute, Burst: 1})(inside)
	v := r.signIn("ada")
	wantInside(t, v.get(h, "/"))
	wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
}

func TestALimitOfNothingSaysSo(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.signIn("ada").get(r.Rate(guard.Limit{Per: time.Minute})(inside), "/", asJSON).Header()
	if got := h.Get("RateLimit-Policy"); got != `"default";q=0;w=60` {
		t.Errorf("RateLimit-Policy: %s", got)
	}
	if got := h.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After: %q, want 1", got)
	}
}

// A handler may be called by another one, with a request that has no body.
func TestAFormWithoutABodyHasNoToken(t *testing.T) {
	r := newRig(t, guard.Options{})
	req := request("POST", "/", "Content-Type: application/x-www-form-urlencoded", asJSON)
	req.Body = nil
	if w := r.signIn("ada").send(r.CSRF(inside), req); w.Code != http.StatusForbidden {
		t.Errorf("status %d, want 403", w.Code)
	}
}

// A type that is no form's has no field, whatever parameters it comes with.
func TestATextWithABoundaryIsNoForm(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	h := r.CSRF(formPage)
	head := "--x\r\nContent-Disposition: form-data; name=\"" + guard.CSRFFormField + "\"\r\n\r\n"
	body := head + v.token(h) + "\r\n--x--\r\n"
	for kind, want := range map[string]int{
		"multipart/form-data; boundary=x": http.StatusOK,
		"text/plain; boundary=x":          http.StatusForbidden,
		"multipart/form-data":             http.StatusForbidden,
	} {
		req := request("POST", "/form", "Content-Type: "+kind, asJSON)
		req.Body = io.NopCloser(strings.NewReader(body))
		if w := v.send(h, req); w.Code != want {
			t.Errorf("%s: status %d, want %d", kind, w.Code, want)
		}
	}
}
