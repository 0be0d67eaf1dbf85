package passkey

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"

	"github.com/coatcheck/session"
)

// visit is one request.
type visit struct {
	p *Passkeys
	w http.ResponseWriter
	r *http.Request
	s *session.Session
}

// steps serves the two paths of a ceremony.
func (p *Passkeys) steps(begin, finish func(*visit, []byte) error) http.Handler {
	return p.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		v := &visit{p, w, r, s}
		w.Header().Set("Cache-Control", "no-store")
		step := map[string]func(*visit, []byte) error{"begin": begin, "finish": finish}[path.Base(r.URL.Path)]
		if step == nil {
			v.fail(refusal{http.StatusNotFound, "There is nothing here.",
				"passkey: the path ends neither in /begin nor in /finish"})
			return
		}
		_, err := p.m.Load(r.Context()) // Options.Skip leaves a session that nobody keeps
		var body []byte
		if err == nil {
			body, err = v.body()
		}
		if err == nil {
			err = step(v, body)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// maxBody is far above what authenticators answer.
const maxBody = 64 << 10

// body reads what was posted. Another type than JSON is one that another site's form can send.
func (v *visit) body() ([]byte, error) {
	if v.r.Method != http.MethodPost {
		v.w.Header().Set("Allow", http.MethodPost)
		return nil, refusal{http.StatusMethodNotAllowed, "Please use POST.", "passkey: the method is not POST"}
	}
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, refusal{http.StatusUnsupportedMediaType, "Please send JSON.",
			"passkey: the Content-Type is not application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, refusal{http.StatusRequestEntityTooLarge, "This is too large.", "passkey: the body is above 64 KiB"}
	case err != nil:
		return nil, refusal{http.StatusBadRequest, "The request was cut off.", "passkey: the body was cut off"}
	}
	return body, nil
}

// refusal is why a request is refused: in words for its sender, and for the people who run the site.
type refusal struct {
	status int
	text   string
	why    string
}

func (r refusal) Error() string { return r.why }

// notAccepted refuses a passkey. Whether the account exists is not told.
func notAccepted(why string) refusal {
	return refusal{http.StatusForbidden, "This passkey was not accepted.", "passkey: " + why}
}

// fail answers a request that cannot go on.
func (v *visit) fail(err error) {
	var no refusal
	if !errors.As(err, &no) {
		v.p.m.Fail(v.w, v.r, err)
		return
	}
	v.p.m.Report(v.r.Context(), session.Event{
		Kind: session.EventRefused, ID: v.s.ID(), User: v.s.User(), Err: no,
	})
	v.json(no.status, "application/problem+json", problem{http.StatusText(no.status), no.status, no.text})
}

// problem is an answer as RFC 9457 has it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func (v *visit) json(status int, kind string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		v.p.m.Fail(v.w, v.r, err)
		return
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("X-Content-Type-Options", "nosniff")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(text) // the client has gone
}

// done answers a ceremony that ended well.
func (v *visit) done() { v.w.WriteHeader(http.StatusNoContent) }
