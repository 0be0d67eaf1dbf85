package ginsession

import (
	"bufio"
	"io"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// writer is gin's writer, but for what sends something: that goes through the manager's, which stores the session
// before the first byte.
type writer struct {
	gin.ResponseWriter
	gate http.ResponseWriter // of the manager, and above the one of gin
}

var _ gin.ResponseWriter = (*writer)(nil)

// Unwrap gives http.ResponseController what it does not find here.
func (w *writer) Unwrap() http.ResponseWriter { return w.gate }

// Header is that of the response, unless the manager has answered in the place of the handler.
func (w *writer) Header() http.Header { return w.gate.Header() }

// WriteHeaderNow sends the status that gin has noted. After the manager's own answer gin has another one.
func (w *writer) WriteHeaderNow() {
	if !w.Written() {
		w.gate.WriteHeader(w.Status())
		w.ResponseWriter.WriteHeaderNow()
	}
}

func (w *writer) Write(p []byte) (int, error)       { return w.gate.Write(p) }
func (w *writer) WriteString(s string) (int, error) { return io.WriteString(w.gate, s) }

func (w *writer) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController asks for.
func (w *writer) FlushError() error { return http.NewResponseController(w.gate).Flush() }

func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.gate).Hijack()
}
