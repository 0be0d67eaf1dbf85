package ginsession_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/ginsession"
	"github.com/coatcheck/session/memstore"
)

func TestAPanicBelowRecoveryStoresNothing(t *testing.T) {
	for protocol, http2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			s := open(t, http2, func(e *gin.Engine) { e.GET("/do", do(func(*gin.Context) { panic("a bug") })) })
			if a := s.get("/do"); a.StatusCode != 500 || a.tickets() != 0 || s.stored() != 0 {
				t.Errorf("%d with the cookies %v, and %d sessions are stored", a.StatusCode, a.Cookies(), s.stored())
			}
		})
	}
}

// A recoverer between Use and the handler hides the panic, as the package says.
func TestARecovererBelowAnswersOnceWithTheTicket(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(500) }))
		e.GET("/do", do(func(*gin.Context) { panic("a bug") }))
	})
	if a := s.get("/do"); a.StatusCode != 500 || a.tickets() != 1 || s.stored() != 1 {
		t.Errorf("%d with the cookies %v, and %d sessions are stored", a.StatusCode, a.Cookies(), s.stored())
	}
}

func TestHandleContextPassesNothingBy(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.GET("/old", func(c *gin.Context) {
			visits.Set(ginsession.From(c), 1)
			c.Request.URL.Path = "/do"
			e.HandleContext(c)
		})
		e.GET("/do", do(func(c *gin.Context) { c.String(200, "text") }))
	})
	if a := s.get("/old"); a.body != "text" || a.tickets() != 1 || s.stored() != 1 {
		t.Errorf("%q with the cookies %v, and %d sessions are stored", a.body, a.Cookies(), s.stored())
	}
}

func TestUseTwiceIsHarmless(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {})
	s.engine.GET("/do", ginsession.Use(s.sessions), do(func(c *gin.Context) { c.JSON(201, gin.H{}) }))
	if a := s.get("/do"); a.StatusCode != 201 || a.tickets() != 1 || s.stored() != 1 {
		t.Errorf("%d with the cookies %v, and %d sessions are stored", a.StatusCode, a.Cookies(), s.stored())
	}
}

func TestTwoManagersHaveASessionEach(t *testing.T) {
	other, err := session.New(memstore.New(memstore.Options{}), session.Options{SweepEvery: session.Never,
		Secrets: []session.Secret{session.NewSecret()}, Cookie: session.Cookie{Name: "__Host-admin"}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s := open(t, true, func(e *gin.Engine) {})
	s.engine.GET("/do", ginsession.Use(other), func(c *gin.Context) {
		outer, err := s.sessions.Load(c.Request.Context())
		if err != nil {
			t.Error(err)
			return
		}
		outer.Set("a", 1)
		ginsession.From(c).Set("b", 2)
		c.String(200, "text")
	})
	if a := s.get("/do"); a.tickets() != 1 || len(a.Cookies()) != 2 || a.body != "text" {
		t.Errorf("%q with the cookies %v, want one of each manager", a.body, a.Cookies())
	}
}

// packed is what middleware that compresses puts in the place of gin's writer.
type packed struct {
	gin.ResponseWriter
	to *gzip.Writer
}

func (p packed) Write(b []byte) (int, error)       { return p.to.Write(b) }
func (p packed) WriteString(s string) (int, error) { return io.WriteString(p.to, s) }

func TestMiddlewareThatCompressesStandsBelow(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.GET("/do", func(c *gin.Context) {
			c.Header("Content-Encoding", "gzip")
			to := gzip.NewWriter(c.Writer)
			c.Writer = packed{c.Writer, to}
			c.Next()
			if err := to.Close(); err != nil {
				t.Error(err)
			}
		}, do(func(c *gin.Context) { c.String(200, "text") }))
	})
	if a := s.get("/do"); a.body != "text" || a.tickets() != 1 {
		t.Errorf("%q, %v with the cookies %v", a.body, a.err, a.Cookies())
	}
}

// unpacked is what such middleware has for errors, which it does not compress.
type unpacked struct{ gin.ResponseWriter }

func (u unpacked) Write(b []byte) (int, error) {
	u.Header().Del("Content-Encoding")
	return u.ResponseWriter.Write(b)
}

// Gin answers an unknown path when all middleware has returned, by the writer that is left.
func TestAnUnknownPathIsAnsweredByTheWriterOfMiddlewareBelow(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.Use(func(c *gin.Context) {
			visits.Set(ginsession.From(c), 1)
			c.Header("Content-Encoding", "gzip")
			c.Writer = unpacked{c.Writer}
			c.Next()
		})
	})
	a := s.get("/nowhere")
	if a.StatusCode != 404 || a.body != "404 page not found" || a.err != nil || a.tickets() != 1 {
		t.Errorf("%d %q, %v with the header %v, want a 404 that can be read", a.StatusCode, a.body, a.err, a.Header)
	}
	s.store.saves.Store(true)
	s.browser.Jar = nil
	if a := s.get("/nowhere"); a.StatusCode != 503 || a.body != "Please try again in a moment.\n" || a.err != nil {
		t.Errorf("%d %q, %v; want one clean 503", a.StatusCode, a.body, a.err)
	}
}

func TestACopyHasTheSession(t *testing.T) {
	var running sync.WaitGroup
	answered := make(chan struct{})
	s := open(t, false, func(e *gin.Engine) {
		e.GET("/do", do(func(c *gin.Context) {
			copied := c.Copy()
			running.Go(func() {
				<-answered
				s := ginsession.From(copied)
				visits.Update(s, func(n int) int { return n + 1 })
				if err := s.Save(context.WithoutCancel(copied.Request.Context())); err != nil || s.User() != "ada" {
					t.Errorf("Save = %v, as %q", err, s.User())
				}
			})
		}))
		e.GET("/read", read)
	})
	s.get("/do")
	close(answered)
	running.Wait()
	if a := s.get("/read"); a.body != "ada 2" {
		t.Errorf("the next request reads %q, want what the goroutine saved", a.body)
	}
}

func TestAStreamSendsTheTicketWithItsFirstEvent(t *testing.T) {
	for protocol, http2 := range protocols {
		t.Run(protocol, func(t *testing.T) {
			more := make(chan struct{})
			s := open(t, http2, func(e *gin.Engine) {
				e.GET("/events", do(func(c *gin.Context) {
					n := 0
					c.Stream(func(io.Writer) bool {
						if n++; n == 2 {
							<-more
						}
						c.SSEvent("tick", n)
						return n < 2
					})
				}))
			})
			resp, err := s.browser.Get(s.server.URL + "/events")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			if line, err := lines.ReadString('\n'); line != "event:tick\n" || err != nil || s.stored() != 1 {
				t.Errorf("the first line is %q, %v, and %d sessions are stored", line, err, s.stored())
			}
			if (answer{Response: resp}).tickets() != 1 {
				t.Errorf("the stream begins with the cookies %v", resp.Cookies())
			}
			close(more)
			rest, err := io.ReadAll(lines)
			if !strings.HasSuffix(string(rest), "event:tick\ndata:2\n\n") || err != nil {
				t.Errorf("the stream ends with %q, %v", rest, err)
			}
		})
	}
}

func TestAnUpgradeSendsTheTicket(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.GET("/socket", do(func(c *gin.Context) {
			conn, err := websocket.Accept(c.Writer, c.Request, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			_ = conn.Write(c.Request.Context(), websocket.MessageText, []byte("hello"))
		}))
	})
	timeout := time.AfterFunc(time.Minute, s.server.CloseClientConnections)
	defer timeout.Stop()
	conn, resp, err := websocket.Dial(t.Context(), s.server.URL+"/socket",
		&websocket.DialOptions{HTTPClient: s.browser})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, message, err := conn.Read(t.Context()); string(message) != "hello" || err != nil {
		t.Errorf("read %q, %v", message, err)
	}
	if (answer{Response: resp}).tickets() != 1 || s.stored() != 1 {
		t.Errorf("the upgrade has the cookies %v, and %d sessions are stored", resp.Cookies(), s.stored())
	}
}

func TestAnUpgradeThatCannotBeStoredIsRefused(t *testing.T) {
	s := open(t, false, func(e *gin.Engine) {
		e.GET("/socket", do(func(c *gin.Context) {
			if conn, err := websocket.Accept(c.Writer, c.Request, nil); err == nil {
				conn.CloseNow()
			}
		}))
	})
	s.store.saves.Store(true)
	_, resp, err := websocket.Dial(t.Context(), s.server.URL+"/socket", &websocket.DialOptions{HTTPClient: s.browser})
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the upgrade is answered with %v, %v; want a 503", resp, err)
	}
}

func TestALogOutsideKnowsTheUser(t *testing.T) {
	logged := ""
	s := open(t, false, func(*gin.Engine) {})
	outer := gin.New()
	outer.Use(func(c *gin.Context) { c.Next(); logged = ginsession.From(c).User() }, ginsession.Use(s.sessions))
	outer.GET("/do", do(func(c *gin.Context) { c.String(200, "text") }))
	s.server.Config.Handler = outer
	if s.get("/do"); logged != "ada" {
		t.Errorf("the log has the user %q, want ada", logged)
	}
}
