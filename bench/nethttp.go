//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
)

// httpEntry is an entry of a library for net/http.
type httpEntry struct{ http.Handler }

func request(cookie string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://shop.example/", nil)
	r.RemoteAddr = "192.0.2.1:4711"
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

func (e httpEntry) ask(cookie string) (string, string, error) {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, request(cookie))
	if w.Code != http.StatusOK {
		return "", "", fmt.Errorf("status %d: %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
	return w.Body.String(), nextCookie(cookie, w.Result().Cookies()), nil
}

// nextCookie is the Cookie header of a browser with a jar of one site.
func nextCookie(sent string, set []*http.Cookie) string {
	jar := map[string]string{}
	var names []string
	keep := func(name, value string) {
		if _, ok := jar[name]; !ok {
			names = append(names, name)
		}
		jar[name] = value
	}
	for part := range strings.SplitSeq(sent, "; ") {
		if name, value, ok := strings.Cut(part, "="); ok {
			keep(name, value)
		}
	}
	for _, c := range set {
		keep(c.Name, c.Value)
		if c.MaxAge < 0 || c.Value == "" {
			jar[c.Name] = ""
		}
	}
	var list []string
	for _, name := range names {
		if jar[name] != "" {
			list = append(list, name+"="+jar[name])
		}
	}
	return strings.Join(list, "; ")
}

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header               { return d.header }
func (d *discard) Write(b []byte) (int, error)       { return len(b), nil }
func (d *discard) WriteString(s string) (int, error) { return len(s), nil }
func (d *discard) WriteHeader(int)                   {}

func (e httpEntry) repeat(cookie string) func() {
	r := request(cookie)
	w := &discard{http.Header{}}
	return func() {
		again := *r // some libraries change it
		clear(w.header)
		e.ServeHTTP(w, &again)
	}
}

func (e httpEntry) listen() (string, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: e.Handler}
	go server.Serve(l)
	return "http://" + l.Addr().String(), func() { server.Close() }, nil
}

// answer ends the work of a handler.
func answer(w io.Writer, body string) { _, _ = io.WriteString(w, body) }
