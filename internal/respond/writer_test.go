package respond_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/respond"
)

var errRefused = errors.New("not stored")

// gate refuses with err, and writes down when it was asked.
type gate struct {
	context.Context
	log *[]string
	err error
}

func (g gate) Open() error {
	*g.log = append(*g.log, "gate")
	return g.err
}

func (g gate) Refused() bool { return g.err != nil && len(*g.log) > 0 }

// under can do everything, and writes down what it was asked to do.
type under struct {
	header http.Header
	log    *[]string
}

func (u under) note(what string)         { *u.log = append(*u.log, what) }
func (u under) Header() http.Header      { return u.header }
func (u under) WriteHeader(status int)   { u.note(http.StatusText(status)) }
func (u under) Flush()                   { u.note("flush") }
func (u under) CloseNotify() <-chan bool { u.note("notify"); return nil }

func (u under) Write(p []byte) (int, error) {
	u.note("write " + string(p))
	return len(p), nil
}

func (u under) WriteString(s string) (int, error) {
	u.note("string " + s)
	return len(s), nil
}

func (u under) ReadFrom(src io.Reader) (int64, error) {
	text, err := io.ReadAll(src)
	u.note("from " + string(text))
	return int64(len(text)), err
}

func (u under) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	u.note("hijack")
	return nil, nil, nil
}

func (u under) Push(string, *http.PushOptions) error {
	u.note("push")
	return nil
}

// open returns the handler's writer, what is underneath, and what both and the gate will have done.
func open(t *testing.T, err error) (http.ResponseWriter, under, *[]string) {
	t.Helper()
	log := new([]string)
	u := under{http.Header{}, log}
	return respond.ForHandler(&respond.Writer{W: u, Gate: gate{t.Context(), log, err}}), u, log
}

// ways are the ways in which a handler can begin its response, and what the writer underneath sees of each.
var ways = map[string]struct {
	begin func(w http.ResponseWriter) error
	seen  string
}{
	"WriteHeader": {func(w http.ResponseWriter) error { w.WriteHeader(http.StatusCreated); return nil }, "Created"},
	"Upgrade": {func(w http.ResponseWriter) error {
		w.WriteHeader(http.StatusSwitchingProtocols)
		return nil
	}, "Switching Protocols"},
	"Write":       {func(w http.ResponseWriter) error { _, err := w.Write([]byte("a")); return err }, "write a"},
	"WriteString": {func(w http.ResponseWriter) error { _, err := io.WriteString(w, "a"); return err }, "string a"},
	"Flush":       {func(w http.ResponseWriter) error { w.(http.Flusher).Flush(); return nil }, "flush"},
	"FlushError":  {func(w http.ResponseWriter) error { return http.NewResponseController(w).Flush() }, "flush"},
	"Hijack": {func(w http.ResponseWriter) error {
		_, _, err := http.NewResponseController(w).Hijack()
		return err
	}, "hijack"},
	"Copy": {func(w http.ResponseWriter) error {
		_, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("a")}) // which cannot write itself
		return err
	}, "from a"},
}

func TestEachWayToBeginAsksTheGateFirst(t *testing.T) {
	for name, way := range ways {
		w, _, log := open(t, nil)
		if err := way.begin(w); err != nil || !slices.Equal(*log, []string{"gate", way.seen}) {
			t.Errorf("%s: %v with %q, want the gate and then %q", name, err, *log, way.seen)
		}
	}
}

func TestNothingFollowsARefusal(t *testing.T) {
	silent := []string{"WriteHeader", "Upgrade", "Flush"} // they have no error to return
	for name, way := range ways {
		w, u, log := open(t, errRefused)
		w.Header().Set("Before", "1")
		err := way.begin(w)
		if want := !slices.Contains(silent, name); errors.Is(err, errRefused) != want {
			t.Errorf("%s = %v, want the refusal: %v", name, err, want)
		}
		w.Header().Set("After", "1")
		if !slices.Equal(*log, []string{"gate"}) || u.header.Get("Before") == "" || u.header.Get("After") != "" {
			t.Errorf("%s: what is underneath has done %q, with the header %v", name, *log, u.header)
		}
	}
}

// What sends no byte of the response does not ask.
func TestWhatBeginsNothingAsksNobody(t *testing.T) {
	for name, row := range map[string]struct {
		do   func(w http.ResponseWriter)
		want []string
	}{
		"hints":    {func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }, []string{"Early Hints"}},
		"continue": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusContinue) }, []string{"Continue"}},
		"push":     {func(w http.ResponseWriter) { _ = w.(http.Pusher).Push("/x", nil) }, []string{"push"}},
		"header":   {func(w http.ResponseWriter) { w.Header().Set("X", "1") }, nil},
		"notify": {func(w http.ResponseWriter) {
			w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		}, []string{"notify"}},
		"unwrap": {func(w http.ResponseWriter) {
			if _, ok := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(under); !ok {
				t.Error("Unwrap does not give the writer underneath")
			}
		}, nil},
	} {
		w, _, log := open(t, nil)
		if row.do(w); !slices.Equal(*log, row.want) {
			t.Errorf("%s: %q, want %q", name, *log, row.want)
		}
	}
}

// Where the writer underneath cannot tell that the client has gone, the request's context can.
func TestTheContextTellsThatTheClientHasGone(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	w := &respond.Writer{W: plain{httptest.NewRecorder()}, Gate: gate{ctx, new([]string), nil}}
	gone := w.CloseNotify()
	select {
	case <-gone:
		t.Error("the client is told to have gone before it has")
	default:
	}
	leave()
	if !<-gone {
		t.Error("CloseNotify gave false")
	}
}
