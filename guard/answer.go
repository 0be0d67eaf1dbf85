package guard

import (
	"embed"
	"encoding/json"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Reason says which guard did not let a request through.
type Reason string

// The reasons.
const (
	NoUser       Reason = "user"
	NotFresh     Reason = "fresh"
	NoRole       Reason = "role"
	NoPermission Reason = "permission"
	CrossOrigin  Reason = "csrf"
	TooMany      Reason = "rate"
	NotConfirmed Reason = "confirm"
	BadBody      Reason = "body"
)

// Refusal is why a request is not let through.
type Refusal struct {
	Reason     Reason
	Status     int           // 401, 403 or 429; with BadBody 400 or 413
	Text       string        // for people; says nothing about the session
	Login      string        // where to sign in, with the way back; "" when that would not help, or there is no page
	RetryAfter time.Duration // with 429
	MaxAge     time.Duration // with NotFresh and NotConfirmed: how recent what is asked for must be
	Factors    []string      // with NotFresh: any of these will do; none: only a Login
	Operation  *Operation    // with NotConfirmed: what to confirm
}

// challenge is a WWW-Authenticate field that says what would do, with the words of RFC 9470.
func (no *Refusal) challenge() string {
	if no.MaxAge == 0 {
		return "Session" // a 401 must have one; no browser asks for a password because of it
	}
	text := `Session error="insufficient_user_authentication", max_age="` + wholeSeconds(no.MaxAge) + `"`
	if len(no.Factors) > 0 {
		text += ", factors=" + quoted(strings.Join(no.Factors, " "))
	}
	return text
}

// wholeSeconds rounds down: what is so old is recent enough.
func wholeSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

//go:embed pages/*.html
var pages embed.FS

var templates = template.Must(template.ParseFS(pages, "pages/*.html"))

// refuse answers, by Options.Refuse or in the form that fits the client.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, no Refusal) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept, Sec-Fetch-Mode")
	if no.RetryAfter > 0 {
		h.Set("Retry-After", seconds(no.RetryAfter))
	}
	if no.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", no.challenge())
	}
	switch {
	case g.opts.Refuse != nil:
		g.opts.Refuse(w, r, no)
	case g.wantsJSON(r):
		writeJSON(w, no.Status, "application/problem+json", problem{http.StatusText(no.Status), no.Status, no.Text,
			no.Reason, no.Login, int64(no.MaxAge / time.Second), no.Factors, no.Operation})
	case no.Login != "":
		h.Del("WWW-Authenticate")
		http.Redirect(w, r, no.Login, http.StatusSeeOther)
	default:
		writePage(w, no.Status, "refused.html", page{http.StatusText(no.Status), no.Text})
	}
}

// problem is the body of a refusal (RFC 9457). Its type is the status.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Reason Reason `json:"reason"`
	Login  string `json:"login,omitempty"`

	MaxAge    int64      `json:"max_age,omitempty"`
	Factors   []string   `json:"factors,omitempty"`
	Operation *Operation `json:"operation,omitempty"`
}

type page struct{ Title, Text string }

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	body, _ := json.Marshal(v) // never fails: our own types encode
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// writePage writes a page without scripts, under a policy that allows none. A policy that is set already stays.
func writePage(w http.ResponseWriter, status int, name string, v any) {
	var text strings.Builder
	if err := templates.ExecuteTemplate(&text, name, v); err != nil { // of our own types, which fit
		status = http.StatusInternalServerError
	}
	h := w.Header()
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text.String()))
}

// wantsJSON reports whether the client prefers JSON to a page. A browser that opens a page names text/html; a script's
// fetch that accepts anything says that it does not navigate; and what sends its ticket in a header of its own is a
// program.
func (g *Guard) wantsJSON(r *http.Request) bool {
	html, data := accepts(r.Header.Values("Accept"))
	if html != 0 || data != 0 {
		return data > html
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode != "navigate"
	}
	return g.programs || g.m.ByHeader(r)
}

// accepts returns how much the client likes pages and JSON, 0 to 1.
func accepts(lines []string) (html, data float64) {
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		kind, params, _ := strings.Cut(part, ";")
		switch kind = strings.ToLower(strings.TrimSpace(kind)); {
		case kind == "text/html" || kind == "application/xhtml+xml":
			html = max(html, quality(params))
		case kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
			data = max(data, quality(params))
		}
	}
	return html, data
}

func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}

// seconds rounds up, so that whoever waits that long has waited long enough.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10) }
