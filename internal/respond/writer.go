package respond

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
)

// Gate is the request that a response answers. It is asked before the first byte leaves.
type Gate interface {
	// Context is the request's. It is done when the client has gone.
	context.Context
	// Open is called before each call of a handler that sends something. The first lets everything happen that must
	// come before the response, and the others say what the first one said. After an error nothing of the handler's
	// may follow: the answer is out.
	Open() error
	// Refused reports whether Open has returned an error, and asks for nothing.
	Refused() bool
}

// Writer is the response as the handler writes to it. Each way to send the first byte asks the gate first. It has
// the methods that every writer has; the types below add those that the writer underneath has too. Both fields must
// be set. It is as safe for concurrent use as they are.
type Writer struct {
	W    http.ResponseWriter // underneath
	Gate Gate
}

// Unwrap gives http.ResponseController the writer below, for deadlines and full duplex.
func (w *Writer) Unwrap() http.ResponseWriter { return w.W }

// Header is that of the response, until the gate has refused.
func (w *Writer) Header() http.Header {
	if w.Gate.Refused() { // the answer is out; what the handler sets now is of no use
		return http.Header{}
	}
	return w.W.Header()
}

// WriteHeader passes informational responses on; 101 ends the HTTP part and therefore counts.
func (w *Writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.W.WriteHeader(status)
		return
	}
	if w.Gate.Open() == nil {
		w.W.WriteHeader(status)
	}
}

// Write asks the gate first, and writes nothing when it refuses.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.Gate.Open(); err != nil {
		return 0, err
	}
	return w.W.Write(p)
}

// WriteString is Write without a copy.
func (w *Writer) WriteString(s string) (int, error) {
	if err := w.Gate.Open(); err != nil {
		return 0, err
	}
	return io.WriteString(w.W, s)
}

// CloseNotify tells that the client has gone. It is old, and whoever needs it asks for it without looking whether it
// is there, as the streams of gin do. The request's context knows as much as a server that has no such method.
func (w *Writer) CloseNotify() <-chan bool {
	if n, ok := w.W.(interface{ CloseNotify() <-chan bool }); ok {
		return n.CloseNotify()
	}
	gone := make(chan bool, 1)
	context.AfterFunc(w.Gate, func() { gone <- true })
	return gone
}

// flusher, hijacker, fromer and pusher are what a writer may do besides.
type (
	flusher  struct{ *Writer }
	hijacker struct{ *Writer }
	fromer   struct{ *Writer }
	pusher   struct{ *Writer }
)

func (w flusher) Flush() { _ = w.FlushError() }

func (w flusher) FlushError() error {
	if err := w.Gate.Open(); err != nil {
		return err
	}
	return http.NewResponseController(w.W).Flush()
}

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.Gate.Open(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(w.W).Hijack()
}

// ReadFrom lets the server send files without copying them.
func (w fromer) ReadFrom(src io.Reader) (int64, error) {
	if err := w.Gate.Open(); err != nil {
		return 0, err
	}
	return io.Copy(w.W, src)
}

func (w pusher) Push(target string, opts *http.PushOptions) error {
	return w.W.(http.Pusher).Push(target, opts)
}

// The combinations. Each is one pointer, so that none is allocated.
type (
	flushHijack     struct{ flusher }
	flushFrom       struct{ flusher }
	flushPush       struct{ flusher }
	hijackFrom      struct{ hijacker }
	hijackPush      struct{ hijacker }
	fromPush        struct{ fromer }
	flushHijackFrom struct{ flushHijack }
	flushHijackPush struct{ flushHijack }
	flushFromPush   struct{ flushFrom }
	hijackFromPush  struct{ hijackFrom }
	everything      struct{ flushHijackFrom }
)

func (w flushHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return hijacker{w.Writer}.Hijack()
}

func (w flushFrom) ReadFrom(src io.Reader) (int64, error)  { return fromer{w.Writer}.ReadFrom(src) }
func (w hijackFrom) ReadFrom(src io.Reader) (int64, error) { return fromer{w.Writer}.ReadFrom(src) }
func (w flushHijackFrom) ReadFrom(src io.Reader) (int64, error) {
	return fromer{w.Writer}.ReadFrom(src)
}

func (w flushPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}
func (w hijackPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}
func (w fromPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}
func (w flushHijackPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}
func (w flushFromPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}
func (w hijackFromPush) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}
func (w everything) Push(target string, o *http.PushOptions) error {
	return pusher{w.Writer}.Push(target, o)
}

const (
	canFlush = 1 << iota
	canHijack
	canReadFrom
	canPush
)

// ForHandler returns the writer with what the one underneath can do, and nothing that it cannot: a handler that asks
// whether it can stream, or take over the connection, must be told the truth. It allocates nothing.
func ForHandler(w *Writer) http.ResponseWriter {
	switch abilities(w.W) {
	case canFlush:
		return flusher{w}
	case canHijack:
		return hijacker{w}
	case canReadFrom:
		return fromer{w}
	case canPush:
		return pusher{w}
	case canFlush | canHijack:
		return flushHijack{flusher{w}}
	case canFlush | canReadFrom:
		return flushFrom{flusher{w}}
	case canFlush | canPush:
		return flushPush{flusher{w}}
	case canHijack | canReadFrom:
		return hijackFrom{hijacker{w}}
	case canHijack | canPush:
		return hijackPush{hijacker{w}}
	case canReadFrom | canPush:
		return fromPush{fromer{w}}
	case canFlush | canHijack | canReadFrom:
		return flushHijackFrom{flushHijack{flusher{w}}}
	case canFlush | canHijack | canPush:
		return flushHijackPush{flushHijack{flusher{w}}}
	case canFlush | canReadFrom | canPush:
		return flushFromPush{flushFrom{flusher{w}}}
	case canHijack | canReadFrom | canPush:
		return hijackFromPush{hijackFrom{hijacker{w}}}
	case canFlush | canHijack | canReadFrom | canPush:
		return everything{flushHijackFrom{flushHijack{flusher{w}}}}
	}
	return w
}

// abilities looks for Flush and Hijack below wrappers too, as http.ResponseController does. ReadFrom and Push of
// what is below a wrapper would pass it by.
func abilities(w http.ResponseWriter) (can int) {
	if _, ok := w.(io.ReaderFrom); ok {
		can |= canReadFrom
	}
	if _, ok := w.(http.Pusher); ok {
		can |= canPush
	}
	for w != nil {
		switch w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			can |= canFlush
		}
		if _, ok := w.(http.Hijacker); ok {
			can |= canHijack
		}
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = below.Unwrap()
	}
	return can
}

// Written reports whether the response was begun on a writer that can tell, as those of gin can, or on one underneath.
func Written(w http.ResponseWriter) bool {
	for w != nil {
		if one, ok := w.(interface{ Written() bool }); ok && one.Written() {
			return true
		}
		below, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = below.Unwrap()
	}
	return false
}
