//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/session"
	fiberredis "github.com/gofiber/storage/redis/v3"
	"github.com/valyala/fasthttp"
)

var fiberLibraries = []library{
	{"fiber", inMemory, "", false, func(context.Context, place) (site, error) {
		return newFiberSite(session.Config{})
	}},
	{"fiber", inRedis, "", false, func(_ context.Context, at place) (site, error) {
		host, port, err := net.SplitHostPort(at.redis.address)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		return newFiberSite(session.Config{Storage: fiberredis.New(fiberredis.Config{Host: host, Port: n})})
	}},
}

type fiberSite struct {
	sessions fiber.Handler
	storage  fiber.Storage
	before   int // what others have in the same Redis
}

func newFiberSite(config session.Config) (site, error) {
	handler, store := session.NewWithStore(config)
	s := &fiberSite{sessions: handler, storage: store.Storage}
	var err error
	s.before, err = s.keys()
	return s, err
}

func (s *fiberSite) keys() (int, error) {
	lister, ok := s.storage.(interface{ Keys() ([][]byte, error) })
	if !ok {
		return 0, fmt.Errorf("%T cannot list its keys", s.storage)
	}
	keys, err := lister.Keys()
	return len(keys), err
}

func (s *fiberSite) on(h handler) entry {
	app := fiber.New()
	app.Use(s.sessions)
	app.Get("/", func(c fiber.Ctx) error {
		v := &fiberValues{}
		body := h(func() Values {
			v.s = session.FromContext(c)
			return v
		})
		if v.err != nil {
			return v.err
		}
		return c.SendString(body)
	})
	return &fiberEntry{app, app.Handler()}
}

func (s *fiberSite) entries() (int, error) {
	n, err := s.keys()
	return n - s.before, err
}

func (s *fiberSite) close() error { return s.storage.Close() }

type fiberValues struct {
	s   *session.Middleware
	err error
}

func (v *fiberValues) Int(key string) int {
	n, _ := v.s.Get(key).(int)
	return n
}

func (v *fiberValues) SetInt(key string, n int) { v.s.Set(key, n) }
func (v *fiberValues) SetText(key, text string) { v.s.Set(key, text) }
func (v *fiberValues) Login(user string) {
	v.err = v.s.Regenerate()
	v.s.Set("user", user)
}
func (v *fiberValues) Logout() { v.err = v.s.Destroy() }

// fiberEntry is asked with the requests of fasthttp, which is what fiber serves: none of net/http is in its figures.
type fiberEntry struct {
	app    *fiber.App
	handle fasthttp.RequestHandler
}

func fastRequest(cookie string) *fasthttp.Request {
	r := &fasthttp.Request{}
	r.SetRequestURI("https://shop.example/")
	r.Header.SetUserAgent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

func (e *fiberEntry) ask(cookie string) (string, string, error) {
	var c fasthttp.RequestCtx
	c.Init(fastRequest(cookie), &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}, nil)
	e.handle(&c)
	if c.Response.StatusCode() != http.StatusOK {
		return "", "", fmt.Errorf("status %d: %s", c.Response.StatusCode(), c.Response.Body())
	}
	var set []*http.Cookie
	for _, value := range c.Response.Header.PeekAll("Set-Cookie") {
		parsed, err := http.ParseSetCookie(string(value))
		if err != nil {
			return "", "", err
		}
		if strings.Contains(strings.ToLower(string(value)), "1970") ||
			!parsed.Expires.IsZero() && parsed.Expires.Year() < 2020 {
			parsed.MaxAge = -1
		}
		set = append(set, parsed)
	}
	return string(c.Response.Body()), nextCookie(cookie, set), nil
}

func (e *fiberEntry) repeat(cookie string) func() {
	r := fastRequest(cookie)
	var c fasthttp.RequestCtx
	address := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}
	return func() {
		c.Init(r, address, nil)
		c.Response.Reset()
		e.handle(&c)
	}
}

func (e *fiberEntry) listen() (string, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &fasthttp.Server{Handler: e.handle}
	go server.Serve(l)
	return "http://" + l.Addr().String(), func() { _ = errors.Join(server.Shutdown(), l.Close()) }, nil
}
