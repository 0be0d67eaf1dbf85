package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// listen puts the handler behind a real server.
func listen(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// reply is a response that was read to its end.
type reply struct {
	*http.Response
	body string
}

// ask sends one request with a ticket, and with the header fields given as "Name: value".
func ask(t *testing.T, srv *httptest.Server, method, ticket string, fields ...string) reply {
	t.Helper()
	resp, body, err := tryAsk(srv, method, ticket, fields...)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return reply{resp, body}
}

func tryAsk(srv *httptest.Server, method, ticket string, fields ...string) (*http.Response, string, error) {
	r, err := http.NewRequest(method, srv.URL+"/", nil)
	if err != nil {
		return nil, "", err
	}
	if ticket != "" {
		r.Header.Add("Cookie", "__Host-Http-session="+ticket)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	resp, err := srv.Client().Transport.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// ticketOf is the ticket that the response sets; the test fails when it sets none, or more than one.
func ticketOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	ticket := ""
	for _, c := range resp.Cookies() {
		if c.Name == "__Host-Http-session" {
			if ticket != "" {
				t.Errorf("the response sets two tickets")
			}
			ticket = c.Value
		}
	}
	if ticket == "" {
		t.Errorf("the response sets no ticket: %v", resp.Header)
	}
	return ticket
}

// sees reports what the ticket opens at the key "x".
func (r *rig) sees(ticket string) any {
	r.t.Helper()
	s, err := r.Open(context.Background(), ticket)
	if err != nil {
		r.t.Fatal(err)
	}
	return s.Get("x")
}

func (c *counted) count(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[call]
}

func aFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page.txt")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The session is stored, and its ticket on the way, as soon as the handler sends the first byte, in
// whatever way it does so.
func TestTheCommitComesBeforeTheFirstByte(t *testing.T) {
	file := aFile(t, "hello from a file")
	ways := map[string]struct {
		method string
		status int
		body   string
		write  func(w http.ResponseWriter, r *http.Request)
	}{
		"Write": {"GET", 200, "hello", func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("hello"))
		}},
		"an empty Write": {"GET", 200, "", func(w http.ResponseWriter, _ *http.Request) { w.Write(nil) }},
		"WriteString": {"GET", 200, "hello", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "hello")
		}},
		"WriteHeader": {"GET", 201, "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }},
		"Flush": {"GET", 200, "later", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "later")
		}},
		"FlushError": {"GET", 200, "later", func(w http.ResponseWriter, _ *http.Request) {
			if err := w.(interface{ FlushError() error }).FlushError(); err != nil {
				t.Error(err)
			}
			io.WriteString(w, "later")
		}},
		"Flush of a ResponseController": {"GET", 200, "later", func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			io.WriteString(w, "later")
		}},
		"ReadFrom": {"GET", 200, "hello", func(w http.ResponseWriter, _ *http.Request) {
			if n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello")); n != 5 || err != nil {
				t.Errorf("ReadFrom = %d, %v", n, err)
			}
		}},
		"io.Copy of a file": {"GET", 200, "hello from a file", func(w http.ResponseWriter, _ *http.Request) {
			f, err := os.Open(file)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if n, err := io.Copy(w, f); n != 17 || err != nil {
				t.Errorf("io.Copy = %d, %v", n, err)
			}
		}},
		"ServeFile": {"GET", 200, "hello from a file",
			func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }},
		"ServeContent": {"GET", 200, "content", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("content"))
		}},
		"Redirect": {"POST", 303, "", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/next", http.StatusSeeOther)
		}},
		"Error": {"GET", 418, "no\n", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusTeapot)
		}},
		"server-sent events": {"GET", 200, "data: 1\n\ndata: 2\n\n", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 2 {
				fmt.Fprintf(w, "data: %d\n\n", i+1)
				w.(http.Flusher).Flush()
			}
		}},
		"HEAD": {"HEAD", 200, "", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "not sent")
		}},
		"204":             {"GET", 204, "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }},
		"304":             {"GET", 304, "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }},
		"only the return": {"GET", 200, "", nil},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
				s.Set("x", "kept")
				if way.write == nil {
					return
				}
				way.write(w, req)
				if n := r.store.count("save"); n != 1 {
					t.Errorf("%d saves when the first byte was written, want 1", n)
				}
			}))
			got := ask(t, srv, way.method, "")
			if got.StatusCode != way.status || got.body != way.body && name != "Redirect" {
				t.Errorf("got %d %q, want %d %q", got.StatusCode, got.body, way.status, way.body)
			}
			if v := r.sees(ticketOf(t, got.Response)); v != "kept" {
				t.Errorf("the ticket opens %v, want kept", v)
			}
			if n := r.store.count("save"); n != 1 {
				t.Errorf("%d saves in all, want 1", n)
			}
		})
	}
}

// Early hints go out before the session is stored, and say nothing of it; 101 is the response itself.
func TestInformationalResponsesDoNotCommit(t *testing.T) {
	r := newRig(t)
	srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 1)
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		if n := r.store.count("save"); n != 0 {
			t.Errorf("%d saves after 103, want none", n)
		}
		s.Set("x", 2)
		w.WriteHeader(http.StatusOK)
	}))
	var hints []int
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints = append(hints, code)
			if h.Get("Set-Cookie") != "" {
				t.Errorf("%d carries a cookie", code)
			}
			return nil
		},
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !slices.Equal(hints, []int{103, 102}) || resp.StatusCode != 200 {
		t.Errorf("got %v, then %d; want 103, 102, then 200", hints, resp.StatusCode)
	}
	if v := r.sees(ticketOf(t, resp)); v != int64(2) {
		t.Errorf("x = %v, want what was set after the hints", v)
	}
}

// dial sends a raw upgrade request and returns the connection with the response's head read.
func dial(t *testing.T, srv *httptest.Server) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, br, resp
}

func TestSwitchingProtocolsCommits(t *testing.T) {
	r := newRig(t)
	srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 1)
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		if n := r.store.count("save"); n != 1 {
			t.Errorf("%d saves after 101, want 1", n)
		}
	}))
	_, _, resp := dial(t, srv)
	if resp.StatusCode != 101 || r.sees(ticketOf(t, resp)) != int64(1) {
		t.Errorf("got %d, %v", resp.StatusCode, resp.Header)
	}
}

// An upgrade takes over the connection, by an assertion or by http.ResponseController. The ticket stands in w.Header(),
// where upgraders that send it find it.
func TestAHijackCommitsAndTheTicketStandsInTheHeader(t *testing.T) {
	hijacks := map[string]func(http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error){
		"assertion": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
			return w.(http.Hijacker).Hijack()
		},
		"controller": func(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter, error) {
			return http.NewResponseController(w).Hijack()
		},
	}
	for name, hijack := range hijacks {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", "before")
				conn, rw, err := hijack(w)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if n := r.store.count("save"); n != 1 {
					t.Errorf("%d saves after the hijack, want 1", n)
				}
				io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n")
				w.Header().Write(rw)
				io.WriteString(rw, "\r\n")
				rw.Flush()
				line, _ := rw.ReadString('\n')
				s.Set("x", strings.TrimSpace(line)) // the client has the ticket, so this is kept
				if err := s.Save(context.Background()); err != nil {
					t.Error(err)
				}
				io.WriteString(rw, line)
				rw.Flush()
			}))
			conn, br, resp := dial(t, srv)
			ticket := ticketOf(t, resp)
			if v := r.sees(ticket); v != "before" {
				t.Errorf("x = %v while the socket is open, want before", v)
			}
			fmt.Fprint(conn, "a frame\n")
			if line, _ := br.ReadString('\n'); line != "a frame\n" {
				t.Errorf("echo = %q", line)
			}
			if v := r.sees(ticket); v != "a frame" {
				t.Errorf("x = %v after a save on the socket", v)
			}
		})
	}
}

// A hijack whose commit fails leaves the connection to the server, which sends the one answer.
func TestAHijackDoesNotHappenWhenTheCommitFails(t *testing.T) {
	r := newRig(t)
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			return errDown
		}
		return nil
	})
	srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 1)
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("Hijack = %v, want ErrUnavailable", err)
		}
	}))
	if got := ask(t, srv, "GET", ""); got.StatusCode != 503 {
		t.Errorf("status %d, want 503", got.StatusCode)
	}
}

// spy is a writer whose ReadFrom is noticed.
type spy struct {
	http.ResponseWriter
	from []string
}

func (s *spy) ReadFrom(src io.Reader) (int64, error) {
	s.from = append(s.from, fmt.Sprintf("%T", src))
	return s.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
}

// A file is handed to the server as a file, so that the kernel sends it.
func TestReadFromReachesTheServer(t *testing.T) {
	r, file := newRig(t), aFile(t, strings.Repeat("x", 100_000))
	inner := r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 1)
		f, err := os.Open(file)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Length", "100000")
		io.Copy(w, f)
	})
	var seen []string
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s := &spy{ResponseWriter: w}
		inner.ServeHTTP(s, req)
		seen = s.from
	}))
	got := ask(t, srv, "GET", "")
	if len(got.body) != 100_000 || ticketOf(t, got.Response) == "" {
		t.Errorf("%d bytes", len(got.body))
	}
	srv.Close() // the handler has returned
	if len(seen) != 1 || !strings.HasPrefix(seen[0], "os.") && !strings.HasPrefix(seen[0], "*os.") {
		t.Errorf("the server's ReadFrom got %v, want the file", seen)
	}
}

// http.ResponseController finds the server through Unwrap, and none of that sends a byte.
func TestTheResponseControllerReachesTheServer(t *testing.T) {
	r := newRig(t)
	srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 1)
		rc := http.NewResponseController(w)
		for name, err := range map[string]error{
			"SetReadDeadline":  rc.SetReadDeadline(time.Now().Add(time.Hour)),
			"SetWriteDeadline": rc.SetWriteDeadline(time.Now().Add(time.Hour)),
			"EnableFullDuplex": rc.EnableFullDuplex(),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, ok := w.(interface{ Unwrap() http.ResponseWriter }); !ok {
			t.Error("there is no Unwrap")
		}
		if n := r.store.count("save"); n != 0 {
			t.Errorf("%d saves before the first byte, want none", n)
		}
	}))
	if got := ask(t, srv, "GET", ""); r.sees(ticketOf(t, got.Response)) != int64(1) {
		t.Error("the session was not stored")
	}
}

// Old code asks without looking whether the writer can tell, and panics when it cannot.
func TestAHandlerIsToldThatItsClientHasGone(t *testing.T) {
	for under, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"the server's writer": func(w http.ResponseWriter) http.ResponseWriter { return w },
		"a plain writer": func(w http.ResponseWriter) http.ResponseWriter {
			return struct{ http.ResponseWriter }{w}
		},
	} {
		t.Run(under, func(t *testing.T) {
			waiting, told := make(chan bool), make(chan bool)
			handler := newRig(t).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				defer close(told)
				gone := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
				close(waiting)
				told <- <-gone
			}))
			srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handler.ServeHTTP(wrap(w), r)
			}))
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			go func() {
				<-waiting
				leave()
			}()
			req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := srv.Client().Do(req); err == nil {
				resp.Body.Close()
				t.Error("the request was answered before its client had gone")
			}
			if !<-told {
				t.Error("the handler was not told")
			}
		})
	}
}

func TestHTTP2Works(t *testing.T) {
	r := newRig(t)
	srv := httptest.NewUnstartedServer(r.HandlerFunc(func(w http.ResponseWriter, req *http.Request,
		s *session.Session) {
		if req.ProtoMajor != 2 {
			t.Errorf("the request came over %s", req.Proto)
		}
		if _, ok := w.(http.Hijacker); ok {
			t.Error("the writer pretends that HTTP/2 can be hijacked")
		}
		if _, ok := w.(http.Pusher); !ok {
			t.Error("the writer hides that HTTP/2 can push")
		}
		s.Set("x", 1)
		w.(http.Flusher).Flush()
		if n := r.store.count("save"); n != 1 {
			t.Errorf("%d saves after Flush, want 1", n)
		}
		io.WriteString(w, "hello")
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	got := ask(t, srv, "GET", "")
	if got.body != "hello" || r.sees(ticketOf(t, got.Response)) != int64(1) {
		t.Errorf("got %q", got.body)
	}
}

// http.TimeoutHandler holds the response back and runs the handler elsewhere; inside or outside, a response in time
// carries the ticket, and one that is late is one clean 503.
func TestTimeoutHandlerInsideAndOutside(t *testing.T) {
	for _, where := range []string{"inside", "outside"} {
		build := func(r *rig, d time.Duration, fn handler) http.Handler {
			if where == "outside" {
				return http.TimeoutHandler(r.HandlerFunc(fn), d, "too slow")
			}
			return r.Middleware(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				s, err := r.Load(req.Context())
				if err != nil {
					t.Error(err)
					return
				}
				fn(w, req, s)
			}), d, "too slow"))
		}
		t.Run(where+" in time", func(t *testing.T) {
			r := newRig(t)
			srv := listen(t, build(r, time.Hour, func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", 1)
				io.WriteString(w, "hello")
			}))
			got := ask(t, srv, "GET", "")
			if got.body != "hello" || r.sees(ticketOf(t, got.Response)) != int64(1) {
				t.Errorf("got %d %q", got.StatusCode, got.body)
			}
		})
		t.Run(where+" late", func(t *testing.T) {
			r := newRig(t)
			done := make(chan struct{})
			answered := make(chan struct{})
			srv := listen(t,
				build(r, time.Nanosecond, func(w http.ResponseWriter, req *http.Request, s *session.Session) {
					defer close(done)
					<-answered
					s.Set("x", 1)
					if _, err := io.WriteString(w, "hello"); !errors.Is(err, http.ErrHandlerTimeout) {
						t.Errorf("Write = %v, want ErrHandlerTimeout", err)
					}
				}))
			got := ask(t, srv, "GET", "")
			close(answered)
			<-done
			if got.StatusCode != 503 || got.body != "too slow" || got.Header["Set-Cookie"] != nil {
				t.Errorf("got %d %q %v", got.StatusCode, got.body, got.Header)
			}
		})
	}
}

func TestServeContentAnswersRangesAndConditions(t *testing.T) {
	r := newRig(t)
	srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Set("x", 1)
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, req, "a.txt", time.Time{}, strings.NewReader("0123456789"))
	}))
	got := ask(t, srv, "GET", "", "Range: bytes=2-4")
	if got.StatusCode != 206 || got.body != "234" || got.Header.Get("Content-Range") != "bytes 2-4/10" {
		t.Errorf("range: %d %q %v", got.StatusCode, got.body, got.Header)
	}
	ticketOf(t, got.Response)
	if got := ask(t, srv, "GET", "", `If-None-Match: "v1"`); got.StatusCode != 304 || ticketOf(t, got.Response) == "" {
		t.Errorf("condition: %d %v", got.StatusCode, got.Header)
	}
}

// One manager around itself is one session, one load and one cookie.
func TestOneManagerNestedInItselfIsHarmless(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.store.reset()
	h := r.Middleware(r.Middleware(r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		if again, err := session.Load(req.Context()); again != s || err != nil {
			t.Errorf("Load = another session, %v", err)
		}
		s.Login("ada")
		io.WriteString(w, "hello")
	})))
	resp := v.through(h, "GET")
	if n := len(resp.Header["Set-Cookie"]); n != 1 || r.store.count("load") != 1 {
		t.Errorf("%d cookies and %d loads, want one of each", n, r.store.count("load"))
	}
	if vary := resp.Header["Vary"]; !slices.Equal(vary, []string{"Cookie"}) {
		t.Errorf("Vary = %q", vary)
	}
}

// Two managers in one chain are two sessions, and the ticket of one is nothing to the other.
func TestTwoManagersInOneChainAreTwoSessions(t *testing.T) {
	outer := newRig(t)
	inner := newRigOn(t, outer.store.fullStore, func(o *session.Options) { o.Cookie.Name = "__Host-other" })
	v := outer.visitor()
	h := outer.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Set("x", "outer")
		inner.HandlerFunc(func(w http.ResponseWriter, req *http.Request, other *session.Session) {
			other.Set("x", "inner")
			if got, _ := session.Load(req.Context()); got != other {
				t.Error("session.Load is not the innermost manager's")
			}
			if got, _ := outer.Load(req.Context()); got != s {
				t.Error("the outer manager's session cannot be reached")
			}
			io.WriteString(w, "hello")
			if s.Get("x") != "outer" || other.Get("x") != "inner" {
				t.Error("the sessions are mixed up")
			}
		}).ServeHTTP(w, req)
	})
	resp := v.through(h, "GET")
	tickets := map[string]string{}
	for _, c := range resp.Cookies() {
		tickets[c.Name] = c.Value
	}
	if len(resp.Cookies()) != 2 || len(tickets) != 2 {
		t.Fatalf("%d cookies, want one of each manager", len(resp.Cookies()))
	}
	if outer.sees(tickets["__Host-Http-session"]) != "outer" || inner.sees(tickets["__Host-other"]) != "inner" {
		t.Error("a ticket does not open its session")
	}
	if outer.sees(tickets["__Host-other"]) != nil || inner.sees(tickets["__Host-Http-session"]) != nil {
		t.Error("a manager opens the other's ticket")
	}
}

// A handler that asks for its session must not get that of another application around it.
func TestASkippedRequestDoesNotGetTheSessionOfAnOuterManager(t *testing.T) {
	outer := newRig(t)
	inner := newRig(t, func(o *session.Options) {
		o.Cookie.Name = "__Host-other"
		o.Skip = func(*http.Request) bool { return true }
	})
	outer.visitor().through(
		outer.Middleware(inner.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			for _, load := range []func(context.Context) (*session.Session, error){session.Load, inner.Load} {
				if _, err := load(req.Context()); err != session.ErrNoMiddleware {
					t.Errorf("Load = %v, want ErrNoMiddleware", err)
				}
			}
			if _, err := outer.Load(req.Context()); err != nil {
				t.Errorf("Load of the outer manager = %v", err)
			}
		}))), "GET")
}

// A handler that panics stores nothing and sends no ticket, whatever it panics with.
func TestAHandlerThatPanicsCommitsNothing(t *testing.T) {
	for name, value := range map[string]any{"an error": errDown, "http.ErrAbortHandler": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			r.store.reset()
			srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", 2)
				s.Login("ada")
				w.Header().Set("X-Test", "1")
				panic(value)
			}))
			if resp, _, err := tryAsk(srv, "GET", v.ticket()); err == nil {
				t.Errorf("the client got %d, want a broken connection", resp.StatusCode)
			}
			srv.Close()
			if n := r.store.count("save"); n != 0 {
				t.Errorf("%d saves, want none", n)
			}
			if got := r.sees(v.ticket()); got != int64(1) {
				t.Errorf("x = %v, want 1", got)
			}
		})
	}
	t.Run("after the first byte", func(t *testing.T) {
		r := newRig(t)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Set("x", 1) })
		srv := listen(t, r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			s.Set("x", 2)
			w.(http.Flusher).Flush()
			s.Set("x", 3)
			panic(http.ErrAbortHandler)
		}))
		tryAsk(srv, "GET", v.ticket())
		srv.Close()
		if got := r.sees(v.ticket()); got != int64(2) {
			t.Errorf("x = %v, want what was committed with the first byte, 2", got)
		}
	})
}

// A store that panics keeps no lock: middleware that recovers between the handler and us can still answer.
func TestAPanicOfTheStoreDoesNotStopTheResponse(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.store.hook(func(string, string) error { panic("a bug in the store") })
	got := v.through(r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() {
			if recover() == nil {
				t.Error("the handler does not see the panic")
			}
			http.Error(w, "recovered", 500)
		}()
		_, _ = session.Load(req.Context())
	})), "GET")
	if got.StatusCode != 500 {
		t.Errorf("status %d, want 500", got.StatusCode)
	}
}

// Changes after the first byte are stored at the handler's return, when the client has the ticket already.
func TestLateChangesAreStoredWhenTheClientHasTheTicket(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	write := func() *http.Response {
		return v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			s.Set("first", true)
			io.WriteString(w, "hello")
			s.Set("x", "late")
			s.Append("list", 1)
			s.Remove("first")
		})
	}
	for _, what := range []string{"a session begun by this response", "a session from before"} {
		if resp := write(); resp.StatusCode != 200 {
			t.Errorf("%s: status %d", what, resp.StatusCode)
		}
		if got := r.sees(v.ticket()); got != "late" {
			t.Errorf("%s: x = %v, want late", what, got)
		}
	}
	if n := r.ev.count(session.EventLate); n != 0 {
		t.Errorf("%d events late, want none", n)
	}
}

// What the client cannot be told any more is refused, with an event, and the id stays.
func TestLateChangesOfIdentityAreRefused(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"Login":      func(s *session.Session) { s.Login("bob") },
		"Regenerate": func(s *session.Session) { s.Regenerate() },
		"Confirm":    func(s *session.Session) { s.Confirm("otp") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
			ticket := v.ticket()
			resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				id := s.ID()
				io.WriteString(w, "hello")
				change(s)
				if s.ID() != id || s.User() != "ada" || s.Err() == nil {
					t.Errorf("id kept: %v, user %q, Err %v", s.ID() == id, s.User(), s.Err())
				}
			})
			if resp.Header["Set-Cookie"] != nil || r.ev.count(session.EventLate) != 1 {
				t.Errorf("%d cookies, %d events late", len(resp.Header["Set-Cookie"]), r.ev.count(session.EventLate))
			}
			if v.ticket() != ticket || r.sees(ticket) != int64(1) {
				t.Error("the visitor lost the session")
			}
		})
	}
}

func TestALateFirstSaveIsRefused(t *testing.T) {
	late := map[string]func(w http.ResponseWriter, req *http.Request, m *session.Manager){
		"loaded before the first byte": func(w http.ResponseWriter, req *http.Request, m *session.Manager) {
			s, _ := m.Load(req.Context())
			io.WriteString(w, "hello")
			s.Set("x", 1)
		},
		"loaded after the first byte": func(w http.ResponseWriter, req *http.Request, m *session.Manager) {
			io.WriteString(w, "hello")
			s, _ := m.Load(req.Context())
			s.Set("x", 1)
			if err := s.Save(req.Context()); err == nil || s.Token() != "" {
				t.Errorf("Save = %v, want an error", err)
			}
		},
		"a login": func(w http.ResponseWriter, req *http.Request, m *session.Manager) {
			io.WriteString(w, "hello")
			s, _ := m.Load(req.Context())
			s.Login("ada")
		},
	}
	for name, fn := range late {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			resp := r.visitor().through(r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				fn(w, req, r.Manager)
			})), "GET")
			if resp.Header["Set-Cookie"] != nil || r.store.count("save") != 0 {
				t.Errorf("%d cookies, %d saves, want none", len(resp.Header["Set-Cookie"]), r.store.count("save"))
			}
			if n := r.ev.count(session.EventLate); n != 1 {
				t.Errorf("%d events late, want 1", n)
			}
		})
	}
}

// The commit decides what the client is told. What comes right after it, before the headers are out, is too late
// already.
func TestALoginRightAfterTheCommitIsTooLate(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var s *session.Session
	n := r.node(func(o *session.Options) {
		o.OnEvent = func(ctx context.Context, e session.Event) {
			r.ev.add(ctx, e)
			if e.Kind == session.EventCreated {
				s.Login("ada")
			}
		}
	})
	v.on(n.Manager).do(func(w http.ResponseWriter, _ *http.Request, sess *session.Session) {
		s = sess
		s.Set("x", 1)
		io.WriteString(w, "hello")
	})
	if s.User() != "" || s.Err() == nil || r.ev.count(session.EventLate) != 1 {
		t.Errorf("user %q, Err %v, %d events late", s.User(), s.Err(), r.ev.count(session.EventLate))
	}
	v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
}

// While a logout is committed another goroutine sets something. Nobody would ever be told the ticket of that session.
func TestAFirstSaveThatBeginsDuringTheCommitIsTooLate(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Logout()
		r.store.hook(func(string, string) error {
			r.store.hook(nil)
			s.Set("x", 1)
			return nil
		})
		io.WriteString(w, "hello")
	})
	for info, err := range r.All(t.Context()) {
		t.Errorf("session %v, %v is in the store, and nobody has its ticket", info.ID, err)
	}
	if n := r.ev.count(session.EventLate); n != 1 {
		t.Errorf("%d events late, want 1", n)
	}
}

// A logout that comes after the first byte cannot delete the cookie, and still ends the session.
func TestALateLogoutStillEndsTheSession(t *testing.T) {
	for name, end := range map[string]func(*session.Session){"Logout": (*session.Session).Logout,
		"Invalidate": (*session.Session).Invalidate} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada") })
			v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				io.WriteString(w, "hello")
				end(s)
			})
			v.with(func(s *session.Session) {
				if s.User() != "" {
					t.Error("the session is alive")
				}
			})
			if n := r.ev.count(session.EventEnded); n != 1 {
				t.Errorf("%d events ended, want 1", n)
			}
		})
	}
}

// A handler that goes on after its response failed can still sign out.
func TestALogoutAfterAFailedCommitEndsTheSession(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.MaxBytes = 1000 })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", strings.Repeat("x", 1000))
		io.WriteString(w, "hello")
		s.Logout()
	})
	if resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if s.User() != "" {
			t.Error("the session is alive")
		}
	})
}

// What the handler puts into Set-Cookie is never lost, and there is never more than one of ours.
func TestTheHandlersCookiesAreNeverLost(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for _, change := range []func(*session.Session){
		func(s *session.Session) { s.Set("x", 1) },
		func(s *session.Session) { s.Regenerate(); s.Login("ada"); s.Regenerate() },
		func(s *session.Session) { s.Logout(); s.Set("x", 2) },
		func(s *session.Session) {
			s.Save(context.Background())
			s.Regenerate()
			s.Save(context.Background())
			s.Regenerate()
		},
		func(s *session.Session) { s.Set("x", 2); s.Logout() },
		func(s *session.Session) { s.Set("x", make(chan int)) },
	} {
		resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
			change(s)
			http.SetCookie(w, &http.Cookie{Name: "lang", Value: "en"})
			w.Header().Add("Set-Cookie", "third=3")
		})
		count := map[string]int{}
		for _, c := range resp.Cookies() {
			count[c.Name]++
		}
		if count["theme"] != 1 || count["lang"] != 1 || count["third"] != 1 || count["__Host-Http-session"] > 1 {
			t.Errorf("cookies: %v", count)
		}
	}
}

// A request that does not touch its session costs nothing: no call, no header, one allocation.
func TestAnUntouchedRequestCostsNothing(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	r.store.reset()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	h := r.Middleware(bare)
	srv := listen(t, h)
	got := ask(t, srv, "GET", v.ticket())
	if got.Header["Set-Cookie"] != nil || got.Header["Vary"] != nil || got.Header["Cache-Control"] != nil ||
		r.store.total() != 0 {
		t.Errorf("%d calls, headers %v", r.store.total(), got.Header)
	}
	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("Cookie", "__Host-Http-session="+v.ticket())
	w := httptest.NewRecorder()
	cost := func(h http.Handler) float64 { return testing.AllocsPerRun(100, func() { h.ServeHTTP(w, req) }) }
	if with, without := cost(h), cost(bare); with > without+1 {
		t.Errorf("%v allocations, the bare handler has %v", with, without)
	}
}

// Strangers leave nothing behind, whether they look, or log out.
func TestTenThousandStrangersLeaveNothing(t *testing.T) {
	r := newRig(t)
	h := r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Get("x")
		if req.Method == "POST" {
			s.Logout()
		}
		w.WriteHeader(204)
	})
	for i := range 10_000 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest([]string{"GET", "POST"}[i%2], "/", nil))
		if w.Header()["Set-Cookie"] != nil {
			t.Fatal("a stranger was given a cookie")
		}
	}
	for info := range r.All(context.Background()) {
		t.Fatalf("session %s is stored", info.ID)
	}
	if r.store.count("load")+r.store.count("save")+r.store.count("delete") != 0 {
		t.Errorf("calls: %v", r.store.calls)
	}
}

// contexts is a store that notes the contexts of its saves.
type contexts struct {
	*memstore.Store
	mu   sync.Mutex
	seen []context.Context
}

func (c *contexts) Save(ctx context.Context, rec *session.Record) error {
	c.mu.Lock()
	c.seen = append(c.seen, ctx)
	c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.Store.Save(ctx, rec)
}

type traceKey struct{}

// A client that goes away does not undo what the handler did. The commit has the request's values, and a time of its
// own.
func TestACancelledRequestIsCommitted(t *testing.T) {
	store := &contexts{Store: memstore.New(memstore.Options{})}
	r := newRigOn(t, store)
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), traceKey{}, "trace"))
	w := httptest.NewRecorder()
	r.HandlerFunc(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Set("x", 1)
		cancel()
		if req.Context().Err() == nil {
			t.Error("the handler does not see the cancellation")
		}
	}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	if got := r.sees(ticketOf(t, w.Result())); got != int64(1) {
		t.Errorf("x = %v, want 1", got)
	}
	if len(store.seen) != 1 || store.seen[0].Value(traceKey{}) != "trace" {
		t.Error("the store does not see the values of the request")
	}
	deadline, ok := store.seen[0].Deadline()
	if left := time.Until(deadline); !ok || left > 5*time.Second {
		t.Errorf("the commit's deadline: %v, in %v", ok, left)
	}
}
