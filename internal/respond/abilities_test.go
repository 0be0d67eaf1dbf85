package respond_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/respond"
)

// plain is a writer that can do nothing more than it must. The types below add one ability each.
type (
	plain    struct{ http.ResponseWriter }
	flusher  struct{}
	hijacker struct{}
	fromer   struct{}
	pusher   struct{}
	wrapper  struct{ http.ResponseWriter }
)

func (flusher) Flush() {}
func (hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}
func (fromer) ReadFrom(src io.Reader) (int64, error) { return io.Copy(io.Discard, src) }
func (pusher) Push(string, *http.PushOptions) error  { return nil }
func (w wrapper) Unwrap() http.ResponseWriter        { return w.ResponseWriter }

// writers are the sixteen kinds of writers that could be underneath, by the first letters of what they can do.
func writers() map[string]http.ResponseWriter {
	base := func() plain { return plain{httptest.NewRecorder()} }
	return map[string]http.ResponseWriter{
		"": base(),
		"F": struct {
			plain
			flusher
		}{base(), flusher{}},
		"H": struct {
			plain
			hijacker
		}{base(), hijacker{}},
		"R": struct {
			plain
			fromer
		}{base(), fromer{}},
		"P": struct {
			plain
			pusher
		}{base(), pusher{}},
		"FH": struct {
			plain
			flusher
			hijacker
		}{base(), flusher{}, hijacker{}},
		"FR": struct {
			plain
			flusher
			fromer
		}{base(), flusher{}, fromer{}},
		"FP": struct {
			plain
			flusher
			pusher
		}{base(), flusher{}, pusher{}},
		"HR": struct {
			plain
			hijacker
			fromer
		}{base(), hijacker{}, fromer{}},
		"HP": struct {
			plain
			hijacker
			pusher
		}{base(), hijacker{}, pusher{}},
		"RP": struct {
			plain
			fromer
			pusher
		}{base(), fromer{}, pusher{}},
		"FHR": struct {
			plain
			flusher
			hijacker
			fromer
		}{base(), flusher{}, hijacker{}, fromer{}},
		"FHP": struct {
			plain
			flusher
			hijacker
			pusher
		}{base(), flusher{}, hijacker{}, pusher{}},
		"FRP": struct {
			plain
			flusher
			fromer
			pusher
		}{base(), flusher{}, fromer{}, pusher{}},
		"HRP": struct {
			plain
			hijacker
			fromer
			pusher
		}{base(), hijacker{}, fromer{}, pusher{}},
		"FHRP": struct {
			plain
			flusher
			hijacker
			fromer
			pusher
		}{base(), flusher{}, hijacker{}, fromer{}, pusher{}},
	}
}

// A handler that asks what its writer can do is told what the server's can do, no more and no less: an upgrader
// on HTTP/2 must be able to refuse, and a stream on a writer that holds everything back too.
func TestAssertionsTellWhatIsUnderneath(t *testing.T) {
	unders := writers()
	for want, under := range unders {
		t.Run("writer "+want, func(t *testing.T) {
			if got := abilities(under); got != want {
				t.Errorf("the handler sees %q, want %q", got, want)
			}
		})
	}
	// What a wrapper with Unwrap does not do itself, http.ResponseController finds below it. Bytes must not pass it by.
	if got := abilities(wrapper{unders["FHRP"]}); got != "FH" {
		t.Errorf("below a wrapper with Unwrap the handler sees %q, want FH", got)
	}
}

func abilities(under http.ResponseWriter) (seen string) {
	w := respond.ForHandler(&respond.Writer{W: under})
	if _, ok := w.(http.Flusher); ok {
		seen += "F"
	}
	if _, ok := w.(http.Hijacker); ok {
		seen += "H"
	}
	if _, ok := w.(io.ReaderFrom); ok {
		seen += "R"
	}
	if _, ok := w.(http.Pusher); ok {
		seen += "P"
	}
	return seen
}

// Whatever a combination can do, it asks before each thing that sends something, and nothing passes the gate.
func TestEachCombinationAsksTheGate(t *testing.T) {
	for name, under := range writers() {
		log := new([]string)
		w := respond.ForHandler(&respond.Writer{W: under, Gate: gate{t.Context(), log, errRefused}})
		asked := 0
		if f, ok := w.(interface{ FlushError() error }); ok {
			asked++
			if err := f.FlushError(); err != errRefused {
				t.Errorf("writer %s: FlushError = %v, want the refusal", name, err)
			}
		}
		if h, ok := w.(http.Hijacker); ok {
			asked++
			if _, _, err := h.Hijack(); err != errRefused {
				t.Errorf("writer %s: Hijack = %v, want the refusal", name, err)
			}
		}
		if r, ok := w.(io.ReaderFrom); ok {
			asked++
			if n, err := r.ReadFrom(strings.NewReader("a")); n != 0 || err != errRefused {
				t.Errorf("writer %s: ReadFrom = %d, %v, want the refusal", name, n, err)
			}
		}
		if p, ok := w.(http.Pusher); ok && p.Push("/x", nil) != nil {
			t.Errorf("writer %s: Push fails, which is no part of the response", name)
		}
		if len(*log) != asked || asked != len(strings.ReplaceAll(name, "P", "")) {
			t.Errorf("writer %s: the gate was asked %d times, want %d", name, len(*log), asked)
		}
	}
}

// Each combination is one pointer to the writer that the request holds anyway.
func TestTheWriterForTheHandlerCostsNoMemory(t *testing.T) {
	for name, under := range writers() {
		w := &respond.Writer{W: under}
		if n := testing.AllocsPerRun(10, func() { forHandler = respond.ForHandler(w) }); n != 0 {
			t.Errorf("writer %s: %v allocations, want none", name, n)
		}
	}
}

var forHandler http.ResponseWriter // so that it is not kept on the stack
