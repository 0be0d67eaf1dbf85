package respond

import (
	"bufio"
	"net"
	"net/http"
)

// Answer notices whether something was written to it. It is ready with the writer underneath, and no safer for
// concurrent use.
type Answer struct {
	http.ResponseWriter
	Begun bool // the response has begun, and nobody else may answer
}

// WriteHeader begins the response, unless it is informational.
func (a *Answer) WriteHeader(status int) {
	a.Begun = a.Begun || status >= 200 || status == http.StatusSwitchingProtocols
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the response.
func (a *Answer) Write(p []byte) (int, error) {
	a.Begun = true
	return a.ResponseWriter.Write(p)
}

// Flush is FlushError for those that ask no [http.ResponseController].
func (a *Answer) Flush() { _ = a.FlushError() }

// FlushError begins the response where the writer underneath can flush.
func (a *Answer) FlushError() error {
	err := http.NewResponseController(a.ResponseWriter).Flush()
	a.Begun = a.Begun || err == nil
	return err
}

// Hijack takes the connection over where the writer underneath can give it away. That, too, is an answer.
func (a *Answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.Begun = a.Begun || err == nil
	return conn, rw, err
}

// Unwrap gives http.ResponseController the writer below.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
