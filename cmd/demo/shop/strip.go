package shop

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/coatcheck/session/cmd/demo/trace"
	"github.com/coatcheck/session/guard"
)

// strip is what every page says of the request that made it.
type strip struct {
	trace.Summary
	Forms bool // a cookie for forms was sent, to a browser that does not say where they come from
}

// Nothing reports that the store was not called and no cookie was sent.
func (s strip) Nothing() bool { return len(s.Calls) == 0 && s.Cookie == "none" && !s.Forms }

// stripOf says what the request cost. The headers of its response have been sent.
func stripOf(w http.ResponseWriter, r *http.Request) strip {
	s := strip{Summary: trace.From(r.Context()).Summary(w.Header(), cookieName)}
	for _, cookie := range w.Header().Values("Set-Cookie") {
		s.Forms = s.Forms || strings.HasPrefix(cookie, "csrf=")
	}
	return s
}

// formToken is the token of a form, for browsers that do not say where a form comes from. Others need none, and a
// stranger among them gets no cookie for it.
func formToken(r *http.Request) template.HTML {
	if r.Header.Get("Sec-Fetch-Site") != "" {
		return ""
	}
	return guard.CSRFField(r)
}
