package fibersession_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/fibersession"
	"github.com/coatcheck/session/memstore"
)

// ways are the ways in which a handler of Fiber can answer, with the status and the body that the client is to get.
var ways = map[string]struct {
	answer func(c fiber.Ctx) error
	status int
	body   string
}{
	"nothing":    {func(fiber.Ctx) error { return nil }, 200, ""},
	"Status":     {func(c fiber.Ctx) error { c.Status(204); return nil }, 204, ""},
	"SendStatus": {func(c fiber.Ctx) error { return c.SendStatus(202) }, 202, "Accepted"},
	"JSON":       {func(c fiber.Ctx) error { return c.Status(201).JSON(fiber.Map{"a": 1}) }, 201, `{"a":1}`},
	"SendString": {func(c fiber.Ctx) error { return c.SendString("text") }, 200, "text"},
	"Write":      {func(c fiber.Ctx) error { _, err := c.Write([]byte("text")); return err }, 200, "text"},
	"Redirect":   {func(c fiber.Ctx) error { return c.Redirect().Status(303).To("/read") }, 303, ""},
	"error":      {func(fiber.Ctx) error { return fiber.NewError(418, "short and stout") }, 418, "short and stout"},
	"SendStream": {func(c fiber.Ctx) error { return c.SendStream(strings.NewReader("text")) }, 200, "text"},
	"SendStreamWriter": {func(c fiber.Ctx) error {
		return c.SendStreamWriter(func(w *bufio.Writer) { fmt.Fprint(w, "te"); w.Flush(); fmt.Fprint(w, "xt") })
	}, 200, "text"},
	"SendFile": {func(c fiber.Ctx) error { return c.SendFile(filepath.Join(os.TempDir(), c.Query("file"))) }, 200,
		"text"},
}

// do is a handler that signs in, sets a cookie of its own, and answers in one of the ways.
func do(answer func(fiber.Ctx) error) fiber.Handler {
	return func(c fiber.Ctx) error {
		s := fibersession.From(c)
		s.Login("ada")
		visits.Set(s, 1)
		c.Cookie(&fiber.Cookie{Name: "theme", Value: "dark", Secure: true})
		c.Set("Cache-Control", "public")
		c.Set("CDN-Cache-Control", "public")
		c.Set("Vary", "Accept")
		c.Set("X-Own", "1")
		return answer(c)
	}
}

func read(c fiber.Ctx) error {
	s := fibersession.From(c)
	return c.SendString(fmt.Sprint(s.User(), " ", visits.Or(s, 0)))
}

// textFile is a file whose text is "text", as a path to ask for.
func textFile(t *testing.T) string {
	t.Helper()
	f, err := os.CreateTemp("", "fibersession")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(f.Name()) })
	if _, err := f.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return "/do?file=" + filepath.Base(f.Name())
}

func TestEachWayToAnswerSendsTheTicket(t *testing.T) {
	path := textFile(t)
	for protocol, http2 := range protocols {
		for name, way := range ways {
			t.Run(protocol+" "+name, func(t *testing.T) {
				s := open(t, http2, func(app *fiber.App) {
					app.Get("/do", do(way.answer))
					app.Get("/read", read)
				})
				s.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				a := s.get(path)
				if a.Proto != protocol || a.StatusCode != way.status || a.body != way.body || a.err != nil {
					t.Errorf("%s %d %q, %v; want %d %q", a.Proto, a.StatusCode, a.body, a.err, way.status, way.body)
				}
				h, vary := a.Header, a.Header.Values("Vary")
				slices.Sort(vary)
				if a.tickets() != 1 || len(a.Cookies()) != 2 || h.Get("Cache-Control") != "no-store" ||
					h.Get("CDN-Cache-Control") != "" || h.Get("X-Own") != "1" ||
					!slices.Equal(vary, []string{"Accept", "Cookie"}) {
					t.Errorf("the header is %v", h)
				}
				if a := s.get("/read"); a.body != "ada 1" || a.tickets() != 0 || a.Header.Get("Vary") != "Cookie" {
					t.Errorf("the next request reads %q with the header %v", a.body, a.Header)
				}
				if n := s.stored(); n != 1 {
					t.Errorf("%d sessions are stored, want 1", n)
				}
			})
		}
	}
}

func TestASaveThatFailsIsOneCleanAnswer(t *testing.T) {
	path := textFile(t)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			s := open(t, true, func(app *fiber.App) {
				app.Get("/do", do(func(c fiber.Ctx) error { c.Set("ETag", `"1"`); return way.answer(c) }))
			})
			s.store.saves.Store(true)
			a := s.get(path)
			if a.StatusCode != 503 || a.body != "Please try again in a moment.\n" || a.err != nil {
				t.Errorf("%d %q, %v; want one clean 503", a.StatusCode, a.body, a.err)
			}
			h := a.Header
			if a.tickets() != 0 || h.Get("Retry-After") == "" || h.Get("ETag") != "" || h.Get("X-Own") != "1" ||
				h.Get("Cache-Control") == "public" || h.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("the answer has the header %v", h)
			}
		})
	}
}

func TestAnOutageIsOneCleanAnswerAndKeepsTheCookie(t *testing.T) {
	ran := 0
	s := open(t, false, func(app *fiber.App) {
		app.Use(func(c fiber.Ctx) error { ran++; return c.Next() })
		app.Get("/do", do(func(fiber.Ctx) error { return nil }))
		app.Get("/read", read)
	})
	s.get("/do")
	s.store.loads.Store(true)
	if a := s.get("/read"); a.StatusCode != 503 || a.tickets() != 0 || strings.Contains(a.body, "10.0.0.7") ||
		ran != 1 {
		t.Errorf("%d %q with the cookies %v; handlers ran %d times", a.StatusCode, a.body, a.Cookies(), ran)
	}
	s.store.loads.Store(false)
	if a := s.get("/read"); a.body != "ada 1" {
		t.Errorf("after the outage the session reads %q", a.body)
	}
}

func TestOnErrorAnswersInFiberToo(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(c fiber.Ctx) error { return c.SendString("text") }))
	}, func(o *session.Options) {
		o.OnError = func(w http.ResponseWriter, r *http.Request, _ error) {
			w.WriteHeader(507)
			fmt.Fprint(w, r.URL.Query().Get("q"), r.Host == "", r.RemoteAddr == "")
		}
	})
	s.store.saves.Store(true)
	if a := s.get("/do?q=own"); a.StatusCode != 507 || a.body != "ownfalse false" {
		t.Errorf("%d %q, want what OnError writes", a.StatusCode, a.body)
	}
}

func TestAVisitorWhoDidNothingLeavesNothing(t *testing.T) {
	s := open(t, false, func(app *fiber.App) { app.Get("/read", read) })
	if a := s.get("/read"); len(a.Cookies()) != 0 || s.stored() != 0 {
		t.Errorf("the response sets %v, and %d sessions are stored", a.Cookies(), s.stored())
	}
}

func TestALogoutDeletesTheCookie(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(fiber.Ctx) error { return nil }))
		app.Get("/logout", func(c fiber.Ctx) error { fibersession.From(c).Logout(); return c.Redirect().To("/read") })
		app.Get("/read", read)
	})
	s.get("/do")
	if a := s.get("/logout"); a.body != " 0" || s.stored() != 0 {
		t.Errorf("after the logout a page says %q, and %d sessions are stored", a.body, s.stored())
	}
}

func TestAPanicBelowRecoverStoresNothing(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(fiber.Ctx) error { panic("a bug") }))
		app.Get("/hidden", recover.New(), do(func(fiber.Ctx) error { panic("a bug") }))
	})
	if a := s.get("/do"); a.StatusCode != 500 || a.tickets() != 0 || s.stored() != 0 {
		t.Errorf("%d with the cookies %v, and %d sessions are stored", a.StatusCode, a.Cookies(), s.stored())
	}
	// A recoverer between Use and the handler hides the panic, as the package says.
	if a := s.get("/hidden"); a.StatusCode != 500 || a.tickets() != 1 || s.stored() != 1 {
		t.Errorf("%d with the cookies %v, and %d sessions are stored", a.StatusCode, a.Cookies(), s.stored())
	}
}

// The ticket of before is useless when Save has stored a Login, and Fiber sends the page of who recovers.
func TestAPanicKeepsNoTicketBackOfWhatWasSaved(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(c fiber.Ctx) error {
			if err := fibersession.From(c).Save(c.Context()); err != nil {
				t.Error(err)
			}
			c.Cookie(&fiber.Cookie{Name: "own", Value: "1", Secure: true})
			panic("a bug")
		}))
		app.Get("/read", read)
	})
	if a := s.get("/do"); a.StatusCode != 500 || a.tickets() != 1 || len(a.Cookies()) != 3 {
		t.Errorf("%d with the cookies %v", a.StatusCode, a.Cookies())
	}
	if a := s.get("/read"); a.body != "ada 1" {
		t.Errorf("the session reads %q", a.body)
	}
}

func TestTwoCookiesOfTheNameAreNobody(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(fiber.Ctx) error { return nil }))
		app.Get("/read", read)
	})
	good := s.get("/do").Cookies()
	for _, header := range []string{"%s=%s; %[1]s=x", "%[1]s=x; %[1]s=%[2]s"} {
		r, err := http.NewRequest("GET", "http://"+s.address+"/read", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range good {
			if c.Name == ticket {
				r.Header.Set("Cookie", fmt.Sprintf(header, c.Name, c.Value))
			}
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != " 0" || err != nil || len(resp.Cookies()) != 0 {
			t.Errorf("the page says %q, %v, and sets %v", body, err, resp.Cookies())
		}
		resp.Body.Close()
	}
}

func TestUseTwiceAndTwoManagers(t *testing.T) {
	other, err := session.New(memstore.New(memstore.Options{}), session.Options{SweepEvery: session.Never,
		Secrets: []session.Secret{session.NewSecret()}, Cookie: session.Cookie{Name: "__Host-admin"}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var s *site
	again := func(c fiber.Ctx) error { return fibersession.Use(s.sessions)(c) }
	s = open(t, true, func(app *fiber.App) {
		app.Get("/twice", again, do(func(c fiber.Ctx) error { return c.SendString("text") }))
		app.Get("/two", fibersession.Use(other), func(c fiber.Ctx) error {
			outer, err := s.sessions.Load(c.Context())
			if err != nil {
				return err
			}
			outer.Set("a", 1)
			fibersession.From(c).Set("b", 2)
			return c.SendString("text")
		})
	})
	if a := s.get("/twice"); a.body != "text" || a.tickets() != 1 || s.stored() != 1 {
		t.Errorf("%q with the cookies %v, and %d sessions are stored", a.body, a.Cookies(), s.stored())
	}
	s.browser.Jar = nil
	if a := s.get("/two"); a.body != "text" || a.tickets() != 1 || len(a.Cookies()) != 2 {
		t.Errorf("%q with the cookies %v, want one of each manager", a.body, a.Cookies())
	}
}

func TestARequestWithoutASessionWorks(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do", do(func(c fiber.Ctx) error { return c.SendString("text") }))
	},
		func(o *session.Options) { o.Skip = func(r *http.Request) bool { return r.URL.Path == "/do" } })
	if a := s.get("/do"); a.body != "text" || a.tickets() != 0 || s.stored() != 0 {
		t.Errorf("%q with the cookies %v, and %d sessions", a.body, a.Cookies(), s.stored())
	}
}

func TestAStreamSendsTheTicketWithItsFirstEvent(t *testing.T) {
	for protocol, http2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			more := make(chan struct{})
			s := open(t, http2, func(app *fiber.App) {
				app.Get("/events", do(func(c fiber.Ctx) error {
					stays, ctx := fibersession.From(c), c.Context()
					c.Set("Content-Type", "text/event-stream")
					return c.SendStreamWriter(func(w *bufio.Writer) {
						fmt.Fprint(w, "data: 1\n\n")
						w.Flush()
						<-more
						visits.Update(stays, func(n int) int { return n + 1 })
						fmt.Fprintf(w, "data: %v\n\n", stays.Save(ctx))
					})
				}))
				app.Get("/read", read)
			})
			resp, err := s.browser.Get(s.server.URL + "/events")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			if line, err := lines.ReadString('\n'); line != "data: 1\n" || err != nil || s.stored() != 1 {
				t.Errorf("the first line is %q, %v, and %d sessions are stored", line, err, s.stored())
			}
			if (answer{Response: resp}).tickets() != 1 {
				t.Errorf("the stream begins with the cookies %v", resp.Cookies())
			}
			close(more)
			if rest, err := io.ReadAll(lines); !strings.HasSuffix(string(rest), "data: <nil>\n\n") || err != nil {
				t.Errorf("the stream ends with %q, %v", rest, err)
			}
			if a := s.get("/read"); a.body != "ada 2" {
				t.Errorf("the next request reads %q, want what the stream saved", a.body)
			}
		})
	}
}

// upgrade asks for another protocol, and returns the head of the response and what comes after it.
func (s *site) upgrade() (*http.Response, string) {
	s.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		s.Fatal(err)
	}
	if resp.StatusCode != 101 {
		body, _ := io.ReadAll(resp.Body)
		return resp, string(body)
	}
	line, err := in.ReadString('\n')
	if err != nil {
		s.Error(err)
	}
	return resp, line
}

func TestAnUpgradeSendsTheTicketOrIsRefused(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/socket", do(func(c fiber.Ctx) error {
			c.Status(101).Set("Upgrade", "echo")
			c.Set("Connection", "Upgrade")
			c.RequestCtx().Hijack(func(conn net.Conn) { fmt.Fprint(conn, "hello\n") })
			return nil
		}))
	})
	if resp, line := s.upgrade(); line != "hello\n" || (answer{Response: resp}).tickets() != 1 || s.stored() != 1 {
		t.Errorf("%d %q with the header %v", resp.StatusCode, line, resp.Header)
	}
	s.store.saves.Store(true)
	if resp, body := s.upgrade(); resp.StatusCode != 503 || !strings.HasPrefix(body, "Please") ||
		len(resp.Header["Upgrade"]) != 0 {
		t.Errorf("%d %q with the header %v, want a 503", resp.StatusCode, body, resp.Header)
	}
}

// Fiber gives the memory of a request to the next one. What the session keeps of it must not change with that.
func TestNothingIsSharedWithTheNextRequest(t *testing.T) {
	s := open(t, false, func(app *fiber.App) {
		app.Get("/do/:user", func(c fiber.Ctx) error {
			fibersession.From(c).Login(c.Params("user"))
			return nil
		})
		app.Post("/do", func(c fiber.Ctx) error {
			fibersession.From(c).Login(c.FormValue("user"))
			return nil
		})
	})
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for n := range 25 {
				user := fmt.Sprintf("user%d.%d", i, 1<<n)
				r, err := http.NewRequest("GET", "http://"+s.address+"/do/"+user, nil)
				if n%2 == 1 {
					r, err = http.NewRequest("POST", "http://"+s.address+"/do", strings.NewReader("user="+user))
				}
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("User-Agent", "of "+user)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	clients.Wait()
	n := 0
	for info, err := range s.sessions.All(t.Context()) {
		if n++; err != nil || info.UserAgent != "of "+info.User || info.RemoteIP.String() != "127.0.0.1" {
			t.Errorf("%+v, %v", info, err)
		}
		if own, err := s.sessions.Sessions(t.Context(), info.User); err != nil || len(own) != 1 {
			t.Errorf("%s has %d sessions, %v", info.User, len(own), err)
		}
	}
	if n != 200 {
		t.Errorf("%d sessions are stored, want 200", n)
	}
}

func TestHostileTargetsAreAnswered(t *testing.T) {
	s := open(t, false, func(app *fiber.App) { app.Use(read) })
	for _, target := range []string{"/%", "/%zz?%", "*", "//evil.example/%00", "http://[::1", "/a b"} {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: =; ;%s=\x01; x\r\n\r\n", target,
			ticket)
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode >= 500 {
			t.Errorf("%q is answered with %v, %v", target, resp, err)
		}
		conn.Close()
	}
}
