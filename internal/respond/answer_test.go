package respond_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session/internal/respond"
)

func TestAnAnswerNoticesThatItHasBegun(t *testing.T) {
	for name, way := range ways {
		a := &respond.Answer{ResponseWriter: under{http.Header{}, new([]string)}}
		if a.Begun {
			t.Errorf("%s: it has begun before", name)
		}
		if err := way.begin(a); err != nil || !a.Begun {
			t.Errorf("%s = %v, and begun is %v", name, err, a.Begun)
		}
	}
}

// Hints go out before the answer, and what the writer underneath cannot do has not happened.
func TestAnAnswerHasNotBegunForNothing(t *testing.T) {
	for name, do := range map[string]func(w http.ResponseWriter){
		"hints":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) },
		"header": func(w http.ResponseWriter) { w.Header().Set("X", "1") },
		"flush":  func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"hijack": func(w http.ResponseWriter) { _, _, _ = w.(http.Hijacker).Hijack() },
	} {
		a := &respond.Answer{ResponseWriter: plain{httptest.NewRecorder()}}
		if do(a); a.Begun {
			t.Errorf("%s: it has begun", name)
		}
	}
}
