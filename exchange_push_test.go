package session_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Writers with one more ability each, which fails.
type (
	flushes struct{ http.ResponseWriter }
	hijacks struct{ http.ResponseWriter }
	reads   struct{ http.ResponseWriter }
	pushes  struct{ http.ResponseWriter }
)

func (flushes) Flush() {}

func (hijacks) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errDown }
func (reads) ReadFrom(io.Reader) (int64, error)              { return 0, errDown }
func (pushes) Push(string, *http.PushOptions) error          { return errDown }

// A writer that cannot do what it is asked for says so through us, whatever it can do besides.
func TestAPushThatFailsIsToldToTheHandler(t *testing.T) {
	w := httptest.NewRecorder()
	for name, under := range map[string]http.ResponseWriter{
		"P": pushes{w},
		"FP": struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
		}{w, flushes{w}, pushes{w}},
		"HP": struct {
			http.ResponseWriter
			http.Hijacker
			http.Pusher
		}{w, hijacks{w}, pushes{w}},
		"RP": struct {
			http.ResponseWriter
			io.ReaderFrom
			http.Pusher
		}{w, reads{w}, pushes{w}},
		"FHP": struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			http.Pusher
		}{w, flushes{w}, hijacks{w}, pushes{w}},
		"FHRP": struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			http.Pusher
		}{w, flushes{w}, hijacks{w}, reads{w}, pushes{w}},
	} {
		r := newRig(t)
		r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if err := w.(http.Pusher).Push("/style.css", nil); !errors.Is(err, errDown) {
				t.Errorf("%s: Push = %v, want the writer's error", name, err)
			}
			if h, ok := w.(http.Hijacker); ok {
				if _, _, err := h.Hijack(); !errors.Is(err, errDown) {
					t.Errorf("%s: Hijack = %v, want the writer's error", name, err)
				}
			}
		})).ServeHTTP(under, httptest.NewRequest("GET", "https://app.example.com/", nil))
	}
}
