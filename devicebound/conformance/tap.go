package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/coatcheck/session/internal/dbsc"
)

// tap hears what a browser and a server say.
type tap struct {
	to http.RoundTripper

	mu   sync.Mutex
	said []talk
}

// talk is one request and its answer.
type talk struct {
	r    *http.Request
	resp *http.Response
	body []byte
}

func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.to.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, talk{r, resp, body})
	return resp, nil
}

// last returns the last talk of which something holds.
func (t *tap) last(what string, holds func(talk) bool) (talk, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.said) - 1; i >= 0; i-- {
		if holds(t.said[i]) {
			return t.said[i], nil
		}
	}
	return talk{}, fmt.Errorf("there was no %s", what)
}

// offer is the response that offered a registration.
func (t *tap) offer() (talk, error) {
	return t.last("offer of a registration", func(s talk) bool { return s.resp.Header.Get(dbsc.Registration) != "" })
}

// offeredChallenge is the challenge of that offer.
func (t *tap) offeredChallenge() (string, error) {
	said, err := t.offer()
	if err != nil {
		return "", err
	}
	list, err := dbsc.List(said.resp.Header[dbsc.Registration])
	if err != nil {
		return "", fmt.Errorf("%s: %w", dbsc.Registration, err)
	}
	for _, m := range list {
		if text, ok := m.Params["challenge"].(string); ok {
			return text, nil
		}
	}
	return "", fmt.Errorf("%s %q has no challenge", dbsc.Registration, said.resp.Header[dbsc.Registration])
}

// registration is the browser's proof of a new key, and the answer.
func (t *tap) registration() (talk, error) {
	return t.last("registration", func(s talk) bool {
		return s.r.Header.Get(dbsc.Response) != "" && s.r.Header.Get(dbsc.SessionID) == ""
	})
}

// refresh is the last request for a new bound cookie, and the answer.
func (t *tap) refresh() (talk, error) {
	return t.last("refresh", func(s talk) bool { return s.r.Header.Get(dbsc.SessionID) != "" })
}

// gives reports whether an answer gives the client something.
func (s talk) gives() bool { return s.resp.StatusCode == http.StatusOK || s.sets() }

// sets reports whether an answer sets a cookie that is not deleted by it.
func (s talk) sets() bool {
	for _, c := range s.resp.Cookies() {
		if c.MaxAge >= 0 && c.Value != "" {
			return true
		}
	}
	return false
}

// ends reports whether an answer makes a browser forget the key.
func (s talk) ends() bool {
	status := s.resp.StatusCode
	switch {
	case status == http.StatusOK:
		return bytes.Contains(bytes.ReplaceAll(s.body, []byte(" "), nil), []byte(`"continue":false`))
	case status == http.StatusForbidden, status == http.StatusTooManyRequests, status == http.StatusProxyAuthRequired:
		return false
	}
	return status >= 400 && status < 500
}
