package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

func TestFailAnswersAsTheManagerDoes(t *testing.T) {
	r := newRig(t)
	w := httptest.NewRecorder()
	w.Header().Set("ETag", "x")
	r.Fail(w, httptest.NewRequest("GET", "/", nil), fmt.Errorf("secret: %w", session.ErrUnavailable))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("ETag") != "" ||
		strings.Contains(w.Body.String(), "secret") {
		t.Errorf("Fail answered %d, %v, %s, want the default 503", w.Code, w.Header(), w.Body)
	}
	own := newRig(t, func(o *session.Options) {
		o.OnError = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusTeapot) }
	})
	w = httptest.NewRecorder()
	own.Fail(w, httptest.NewRequest("GET", "/", nil), session.ErrUnavailable)
	if w.Code != http.StatusTeapot {
		t.Errorf("Fail answered %d, want the answer of OnError", w.Code)
	}
	if got := r.Now(); !got.Equal(r.clock.now()) {
		t.Errorf("Now = %v, want the clock of the options", got)
	}
}
