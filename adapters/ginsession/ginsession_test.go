package ginsession_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/ginsession"
)

// ways are the ways in which a handler of gin can answer, with the status and the body that the client is to get.
var ways = map[string]struct {
	answer func(c *gin.Context)
	status int
	body   string
}{
	"nothing":         {func(*gin.Context) {}, 200, ""},
	"Status":          {func(c *gin.Context) { c.Status(204) }, 204, ""},
	"Abort":           {func(c *gin.Context) { c.Abort() }, 200, ""},
	"AbortWithStatus": {func(c *gin.Context) { c.AbortWithStatus(418) }, 418, ""},
	"AbortWithError":  {func(c *gin.Context) { _ = c.AbortWithError(422, io.EOF) }, 422, ""},
	"JSON":            {func(c *gin.Context) { c.JSON(201, gin.H{"a": 1}) }, 201, `{"a":1}`},
	"JSON of 204":     {func(c *gin.Context) { c.JSON(204, gin.H{"a": 1}) }, 204, ""},
	"String":          {func(c *gin.Context) { c.String(200, "text") }, 200, "text"},
	"Data":            {func(c *gin.Context) { c.Data(200, "text/plain", []byte("text")) }, 200, "text"},
	"DataFromReader": {func(c *gin.Context) {
		c.DataFromReader(200, 4, "text/plain", strings.NewReader("text"), nil)
	}, 200, "text"},
	"Redirect": {func(c *gin.Context) { c.Redirect(303, "/read") }, 303, ""},
	"Stream": {func(c *gin.Context) {
		n := 0
		c.Stream(func(w io.Writer) bool {
			n++
			_, _ = io.WriteString(w, strconv.Itoa(n))
			return n < 3
		})
	}, 200, "123"},
	"Write":          {func(c *gin.Context) { _, _ = c.Writer.Write([]byte("text")) }, 200, "text"},
	"WriteString":    {func(c *gin.Context) { _, _ = c.Writer.WriteString("text") }, 200, "text"},
	"WriteHeaderNow": {func(c *gin.Context) { c.Status(202); c.Writer.WriteHeaderNow() }, 202, ""},
	"Flush":          {func(c *gin.Context) { c.Status(202); c.Writer.Flush() }, 202, ""},
	"controller":     {func(c *gin.Context) { _ = http.NewResponseController(c.Writer).Flush() }, 200, ""},
	"status twice":   {func(c *gin.Context) { c.Status(500); c.String(200, "text") }, 200, "text"},
	"read only": {func(c *gin.Context) {
		ginsession.From(c).Get("nothing")
		c.String(200, strconv.FormatBool(c.Writer.Written()))
	}, 200, "false"},
}

// do is a handler that signs in, sets a cookie of its own, and answers in one of the ways.
func do(answer func(*gin.Context)) gin.HandlerFunc {
	return func(c *gin.Context) {
		s := ginsession.From(c)
		s.Login("ada")
		visits.Set(s, 1)
		c.SetCookie("theme", "dark", 0, "/", "", true, true)
		answer(c)
	}
}

func read(c *gin.Context) {
	s := ginsession.From(c)
	c.String(200, "%s %d", s.User(), visits.Or(s, 0))
}

func TestEachWayToAnswerSendsTheTicket(t *testing.T) {
	for protocol, http2 := range protocols {
		for name, way := range ways {
			t.Run(protocol+" "+name, func(t *testing.T) {
				s := open(t, http2, func(e *gin.Engine) {
					e.GET("/do", do(way.answer))
					e.GET("/read", read)
				})
				s.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				a := s.get("/do")
				if way.status == 303 {
					way.body = a.body
				}
				if a.Proto != protocol || a.StatusCode != way.status || a.body != way.body || a.err != nil {
					t.Errorf("%s %d %q, %v; want %d %q", a.Proto, a.StatusCode, a.body, a.err, way.status, way.body)
				}
				if a.tickets() != 1 || len(a.Cookies()) != 2 || a.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("the response has the header %v, want a ticket and the cookie of the handler", a.Header)
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
	for protocol, http2 := range protocols {
		for name, way := range ways {
			t.Run(protocol+" "+name, func(t *testing.T) {
				s := open(t, http2, func(e *gin.Engine) {
					e.GET("/do", do(func(c *gin.Context) {
						c.Header("ETag", `"1"`)
						way.answer(c)
						c.Status(200) // gin must not note it over what was answered
						_, _ = c.Writer.WriteString("more")
					}))
				})
				s.store.saves.Store(true)
				a := s.get("/do")
				if a.StatusCode != 503 || a.body != "Please try again in a moment.\n" || a.err != nil {
					t.Errorf("%d %q, %v; want one clean 503", a.StatusCode, a.body, a.err)
				}
				if a.tickets() != 0 || a.Header.Get("Retry-After") == "" || a.Header.Get("ETag") != "" {
					t.Errorf("the answer has the header %v", a.Header)
				}
			})
		}
	}
}

func TestAnOutageIsOneCleanAnswerAndKeepsTheCookie(t *testing.T) {
	for protocol, http2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			ran := 0
			s := open(t, http2, func(e *gin.Engine) {
				e.Use(func(c *gin.Context) { ran++; c.Next() })
				e.GET("/do", do(func(*gin.Context) {}))
				e.GET("/read", read)
			})
			s.get("/do")
			s.store.loads.Store(true)
			if a := s.get("/read"); a.StatusCode != 503 || a.tickets() != 0 || strings.Contains(a.body, "10.0.0.7") {
				t.Errorf("%d %q with the cookies %v", a.StatusCode, a.body, a.Cookies())
			}
			if ran != 1 {
				t.Errorf("what comes after Use ran %d times, want once", ran)
			}
			s.store.loads.Store(false)
			if a := s.get("/read"); a.body != "ada 1" {
				t.Errorf("after the outage the session reads %q", a.body)
			}
		})
	}
}

func TestOnErrorAnswersInGinToo(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) { e.GET("/do", do(func(c *gin.Context) { c.String(200, "text") })) },
		func(o *session.Options) {
			o.OnError = func(w http.ResponseWriter, _ *http.Request, _ error) {
				w.WriteHeader(507)
				_, _ = io.WriteString(w, "own")
			}
		})
	s.store.saves.Store(true)
	if a := s.get("/do"); a.StatusCode != 507 || a.body != "own" {
		t.Errorf("%d %q, want what OnError writes", a.StatusCode, a.body)
	}
}

func TestAVisitorWhoDidNothingLeavesNothing(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) { e.GET("/read", read) })
	if a := s.get("/read"); len(a.Cookies()) != 0 || s.stored() != 0 {
		t.Errorf("the response sets %v, and %d sessions are stored", a.Cookies(), s.stored())
	}
}

func TestALogoutDeletesTheCookie(t *testing.T) {
	s := open(t, true, func(e *gin.Engine) {
		e.GET("/do", do(func(*gin.Context) {}))
		e.GET("/logout", func(c *gin.Context) { ginsession.From(c).Logout(); c.Redirect(303, "/read") })
		e.GET("/read", read)
	})
	s.get("/do")
	if a := s.get("/logout"); a.body != " 0" || s.stored() != 0 {
		t.Errorf("after the logout a page says %q, and %d sessions are stored", a.body, s.stored())
	}
}

func TestAnUnknownPathHasASession(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.Use(func(c *gin.Context) { visits.Set(ginsession.From(c), 1) })
		e.GET("/read", read)
	})
	if a := s.get("/nowhere"); a.StatusCode != 404 || a.tickets() != 1 || a.body != "404 page not found" {
		t.Errorf("%d %q with the cookies %v, want 404 and a ticket", a.StatusCode, a.body, a.Cookies())
	}
}

func TestARequestWithoutASessionWorks(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.GET("/do", do(func(c *gin.Context) { c.Status(201); c.Writer.Flush(); _, _ = c.Writer.WriteString("text") }))
	}, func(o *session.Options) { o.Skip = func(*http.Request) bool { return true } })
	if a := s.get("/do"); a.StatusCode != 201 || a.body != "text" || a.tickets() != 0 || s.stored() != 0 {
		t.Errorf("%d %q with the cookies %v, and %d sessions", a.StatusCode, a.body, a.Cookies(), s.stored())
	}
}
