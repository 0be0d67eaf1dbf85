package fibersession_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/fibersession"
	"github.com/coatcheck/session/memstore"
)

// pipes is a listener whose connections need no network, so that a test can have a clock of its own.
type pipes struct {
	conns chan net.Conn
	ended chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { close(p.ended); return nil }

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial asks for a path, and closes the connection after what it wants of the response.
func (p pipes) dial(t *testing.T, path, cookie string, want func(*bufio.Reader)) {
	t.Helper()
	own, theirs := net.Pipe()
	p.conns <- theirs
	defer own.Close()
	if _, err := fmt.Fprintf(own, "GET %s HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n", path, cookie); err != nil {
		t.Error(err)
	}
	in := bufio.NewReader(own)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	if resp.StatusCode != 101 {
		in = bufio.NewReader(resp.Body)
	}
	want(in)
}

// asked counts the loads of a store.
type asked struct {
	*memstore.Store
	loads atomic.Int64
}

func (a *asked) Load(ctx context.Context, id string) (*session.Record, error) {
	a.loads.Add(1)
	return a.Store.Load(ctx, id)
}

// LoadShared counts, too: the manager prefers it.
func (a *asked) LoadShared(ctx context.Context, id string) (*session.Record, any, error) {
	a.loads.Add(1)
	return a.Store.LoadShared(ctx, id)
}

// Nobody waits for the end of a session any more when the request is over, whatever became of its connection.
func TestTheEndOfARequestEndsTheWaitForTheSession(t *testing.T) {
	first := fiber.New() // which starts the clock of fasthttp, outside of the bubble
	if _, err := first.Test(httptest.NewRequest("GET", "/", nil)); err != nil {
		t.Fatal(err)
	}
	whole := func(in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) }
	line := func(in *bufio.Reader) { _, _ = in.ReadString('\n') }
	for path, want := range map[string]func(*bufio.Reader){
		"/page": whole, "/panic": whole, "/stream": whole, "/left": line, "/socket": line, "/timeout": whole,
	} {
		t.Run(path[1:], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { waitFor(t, path, want) })
		})
	}
}

func waitFor(t *testing.T, path string, want func(*bufio.Reader)) {
	store := &asked{Store: memstore.New(memstore.Options{})}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()},
		SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if s.Login("ada"); s.Save(t.Context()) != nil {
		t.Fatal("ada cannot sign in")
	}
	app, listener := siteThatWaits(m), pipes{make(chan net.Conn), make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	listener.dial(t, path, ticket+"="+s.Token(), want)
	time.Sleep(5 * time.Second)
	synctest.Wait()
	before := store.loads.Load()
	time.Sleep(time.Minute)
	if n := store.loads.Load() - before; n > 1 {
		t.Errorf("%s: the store is asked %d times after the request", path, n)
	}
	if err := app.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	_ = m.Close()           // which has no error
	time.Sleep(time.Minute) // for the workers of fasthttp, which look for the shutdown now and then
}

// siteThatWaits has pages that wait for the end of the session, and end before it.
func siteThatWaits(m *session.Manager) *fiber.App {
	app := fiber.New()
	app.Use(recover.New(), fibersession.Use(m))
	app.Get("/page", func(c fiber.Ctx) error { fibersession.From(c).Done(); return c.SendString("text") })
	app.Get("/timeout", timeout.New(func(c fiber.Ctx) error {
		fibersession.From(c).Done()
		time.Sleep(2 * time.Second)
		return nil
	}, timeout.Config{Timeout: time.Second}))
	app.Get("/panic", func(c fiber.Ctx) error { fibersession.From(c).Done(); panic("a bug") })
	app.Get("/stream", func(c fiber.Ctx) error {
		fibersession.From(c).Done()
		return c.SendStreamWriter(func(w *bufio.Writer) { fmt.Fprint(w, "text") })
	})
	app.Get("/left", func(c fiber.Ctx) error {
		ended := fibersession.From(c).Done()
		return c.SendStreamWriter(func(w *bufio.Writer) {
			for fmt.Fprintln(w, "tick"); w.Flush() == nil; fmt.Fprintln(w, "tick") {
				select {
				case <-ended:
				case <-time.After(time.Second):
				}
			}
		})
	})
	app.Get("/socket", func(c fiber.Ctx) error {
		fibersession.From(c).Done()
		c.Status(101).Set("Connection", "Upgrade")
		c.RequestCtx().Hijack(func(conn net.Conn) { fmt.Fprintln(conn, "hello") })
		return nil
	})
	return app
}

// A stream and a hijacked connection hear of the end of the session for as long as they last.
func TestAStreamHearsOfTheEndOfTheSession(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(c fiber.Ctx) error { return nil }))
		app.Get("/logout", func(c fiber.Ctx) error { fibersession.From(c).Logout(); return nil })
		app.Get("/stream", func(c fiber.Ctx) error {
			ended := fibersession.From(c).Done()
			return c.SendStreamWriter(func(w *bufio.Writer) {
				fmt.Fprintln(w, "hello")
				w.Flush()
				<-ended
				fmt.Fprintln(w, "goodbye")
			})
		})
		app.Get("/socket", func(c fiber.Ctx) error {
			ended := fibersession.From(c).Done()
			c.Status(101).Set("Connection", "Upgrade")
			c.Set("Upgrade", "lines")
			c.RequestCtx().Hijack(func(conn net.Conn) {
				fmt.Fprintln(conn, "hello")
				<-ended
				fmt.Fprintln(conn, "goodbye")
			})
			return nil
		})
	})
	for _, path := range []string{"/stream", "/socket"} {
		cookie := ""
		for _, c := range s.get("/do").Cookies() {
			if c.Name == ticket {
				cookie = c.Name + "=" + c.Value
			}
		}
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: lines\r\nCookie: %s\r\n\r\n",
			path, cookie)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == 200 {
			in = bufio.NewReader(resp.Body)
		}
		hello, _ := in.ReadString('\n')
		s.get("/logout")
		if goodbye, err := in.ReadString('\n'); hello != "hello\n" || goodbye != "goodbye\n" {
			t.Errorf("%s says %q and %q, %v", path, hello, goodbye, err)
		}
	}
}
