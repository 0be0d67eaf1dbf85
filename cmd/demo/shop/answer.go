package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/coatcheck/session"
)

// problem is what a visitor did wrong, in words for the visitor.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// wrong returns a problem with what was sent.
func wrong(format string, args ...any) error {
	return &problem{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// refuse answers for a page that returned an error.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if errors.As(err, &p) {
		explain(w, r, p.status, p.text)
		return
	}
	s.logger.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	s.fail(w, r, err)
}

// fail answers a request whose session failed. The library tells the log why; a stranger need not know.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, session.ErrEnded):
		explain(w, r, http.StatusConflict, "Your session has ended meanwhile, and nothing was changed. Please "+
			"begin again.")
	case errors.Is(err, session.ErrUnavailable), errors.Is(err, session.ErrConflict):
		w.Header().Set("Retry-After", "2")
		explain(w, r, http.StatusServiceUnavailable, "Your session is out of reach. You are still signed in; please "+
			"try again in a moment.")
	default:
		explain(w, r, http.StatusInternalServerError, "Something went wrong. Please try again.")
	}
}

// explain answers with a reason: a page, or {"error":"…"} for a script.
func explain(w http.ResponseWriter, r *http.Request, status int, reason string) {
	if wantsJSON(r) {
		writeJSON(w, status, map[string]string{"error": reason})
		return
	}
	view := problemView{Title: http.StatusText(status), Reason: reason}
	if err := writePage(w, status, "problem", view); err != nil {
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

// writePage writes nothing when it returns an error.
func writePage(w http.ResponseWriter, status int, name string, view any) error {
	var page bytes.Buffer
	if err := pages[name].ExecuteTemplate(&page, "layout.html", view); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	head(w, status, "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // the client has gone
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
