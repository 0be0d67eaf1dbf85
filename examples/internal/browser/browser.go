// Package browser is a small client with which the tests of the examples drive them through HTTP.
package browser

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser keeps cookies and follows redirects.
type Browser struct {
	http.Client
	base string
}

// Open opens a browser without cookies at an address.
func Open(base string) *Browser {
	jar, _ := cookiejar.New(nil) // which has no error
	return &Browser{Client: http.Client{Jar: jar}, base: base}
}

// Get asks for a page and returns status and text; header lines are "Name: value". An error is status 0.
func (b *Browser) Get(path string, header ...string) (int, string) {
	return b.send("GET", path, nil, header)
}

// Post sends a form, as a page of the same site does.
func (b *Browser) Post(path string, form url.Values, header ...string) (int, string) {
	return b.send("POST", path, form, append([]string{"Sec-Fetch-Site: same-origin"}, header...))
}

// PostOld sends a form as a browser from before 2020 does, which does not say where it comes from.
func (b *Browser) PostOld(path string, form url.Values) (int, string) {
	return b.send("POST", path, form, nil)
}

func (b *Browser) send(method, path string, form url.Values, header []string) (int, string) {
	r, err := http.NewRequest(method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err.Error()
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := b.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}
