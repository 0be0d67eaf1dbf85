package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/coatcheck/session"
)

// problem is what a visitor did wrong, in words for the visitor.
type problem struct {
	status int
	field  string // of the form; "": of no field
	text   string
}

func (p *problem) Error() string {
	if p.field == "" {
		return p.text
	}
	return p.field + ": " + p.text
}

// wrong returns a problem with what was sent.
func wrong(format string, args ...any) error {
	return &problem{http.StatusBadRequest, "", fmt.Sprintf(format, args...)}
}

// wrongField returns a problem with one field.
func wrongField(field, format string, args ...any) error {
	return &problem{http.StatusBadRequest, field, fmt.Sprintf(format, args...)}
}

// mistake is a problem as a page shows it at its field.
type mistake struct{ Field, Text, Typed string }

// mistakeOf returns what a person has typed wrong, who is shown the form again, with status 422. A script is told by
// the status 400, as of everything else that is wrong.
func mistakeOf(r *http.Request, in input, err error) (mistake, bool) {
	var p *problem
	if !errors.As(err, &p) || p.field == "" || wantsJSON(r) {
		return mistake{}, false
	}
	return mistake{p.field, p.text, in[p.field]}, true
}

// refuse answers for a page that returned an error.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if errors.As(err, &p) {
		refuse(w, r, p.status, p.Error())
		return
	}
	s.logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	s.fail(w, r, err)
}

// fail answers a request whose session failed. The library tells the log why; a stranger need not know.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, session.ErrEnded):
		refuse(w, r, http.StatusConflict, "Your session has ended in the meantime, and nothing was changed. "+
			"Please start again.")
	case errors.Is(err, session.ErrUnavailable), errors.Is(err, session.ErrConflict):
		w.Header().Set("Retry-After", "2")
		refuse(w, r, http.StatusServiceUnavailable, "Your session is out of reach. You are still signed in; please "+
			"try again in a moment.")
	default:
		refuse(w, r, http.StatusInternalServerError, "Something went wrong. Please try again.")
	}
}

// refuse answers with a reason: a page, or {"error":"…"} for a script.
func refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	if wantsJSON(r) {
		writeJSON(w, status, map[string]string{"error": reason})
		return
	}
	view := problemView{Title: http.StatusText(status), Reason: reason}
	if err := writePage(w, r, status, "problem", view); err != nil {
		http.Error(w, reason, status)
	}
}

// wantsJSON tells a script from a browser, which asks for HTML too.
func wantsJSON(r *http.Request) bool {
	wanted := false
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		switch name, _, _ := mime.ParseMediaType(part); name {
		case "text/html":
			return false
		case "application/json":
			wanted = true
		}
	}
	return wanted
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	head(w, status, "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has gone, for our types encode
}

// stripMark is where a page has the strip that says what it cost.
const stripMark = "<strip></strip>"

// writePage writes nothing when it returns an error. What the page cost is known when its headers are sent, for the
// session is committed then.
func writePage(w http.ResponseWriter, r *http.Request, status int, name string, view any) error {
	var page, strip bytes.Buffer
	if err := pages[name].ExecuteTemplate(&page, "layout.html", view); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	head(w, status, "text/html; charset=utf-8")
	if err := pages[name].ExecuteTemplate(&strip, "strip", stripOf(w, r)); err != nil {
		return nil // the page is under way, and goes without it
	}
	before, after, _ := bytes.Cut(page.Bytes(), []byte(stripMark))
	_, _ = w.Write(slices.Concat(before, strip.Bytes(), after)) // the client has gone
	return nil
}

// head begins an answer that is for this visitor, now.
func head(w http.ResponseWriter, status int, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	w.WriteHeader(status)
}
