package trace_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/memstore"
)

// Each row is a request of one visitor, in this order.
func TestATraceSaysWhatARequestCosts(t *testing.T) {
	m, err := session.New(trace.Watch(memstore.New(memstore.Options{})), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, Cookie: session.Cookie{Name: "s", Insecure: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var cookie string
	for _, row := range []struct {
		name string
		do   func(*session.Session)
		want trace.Summary
	}{
		{"nothing", func(*session.Session) {}, trace.Summary{ID: "none", Cookie: "none"}},
		{"a first value", func(s *session.Session) { s.Set("a", 1) },
			trace.Summary{Calls: []string{"create"}, Version: 1, ID: "new", Cookie: "sent"}},
		{"a look", func(*session.Session) {},
			trace.Summary{Calls: []string{"load"}, Version: 1, ID: "kept", Cookie: "none"}},
		{"a change", func(s *session.Session) { s.Set("a", 2) },
			trace.Summary{Calls: []string{"load", "save"}, Version: 2, ID: "kept", Cookie: "none"}},
		{"a sign-in", func(s *session.Session) { s.Login("ada") },
			trace.Summary{Calls: []string{"load", "create", "save"}, Version: 1, ID: "changed", Cookie: "sent"}},
		{"a sign-out", (*session.Session).Logout,
			trace.Summary{Calls: []string{"load", "save"}, ID: "ended", Cookie: "deleted"}},
	} {
		ctx, tr := trace.New(t.Context())
		r, w := httptest.NewRequestWithContext(ctx, "GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", cookie)
		m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, s *session.Session) {
			trace.From(r.Context()).Follow(s.ID)
			row.do(s)
		}).ServeHTTP(w, r)
		if c := w.Result().Cookies(); len(c) == 1 {
			cookie = c[0].Name + "=" + c[0].Value
		}
		got := tr.Summary(w.Header(), "s")
		if !slices.Equal(got.Calls, row.want.Calls) || got.Version != row.want.Version || got.ID != row.want.ID ||
			got.Cookie != row.want.Cookie {
			t.Errorf("%s costs %+v, want %+v", row.name, got, row.want)
		}
	}
}
