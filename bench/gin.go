//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"path/filepath"

	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	ginredis "github.com/gin-contrib/sessions/redis"
	"github.com/gin-gonic/gin"
)

var ginLibraries = []library{
	{"gin-contrib", inCookie, "", false,
		openGin(func(_ place, key []byte) (sessions.Store, func() (int, error), io.Closer, error) {
			return cookie.NewStore(key), nil, nil, nil
		})},
	{"gin-contrib", inRedis, "", false,
		openGin(func(at place, key []byte) (sessions.Store, func() (int, error), io.Closer, error) {
			pool := redisPool(at)
			store, err := ginredis.NewStoreWithPool(pool, key)
			if err != nil {
				return nil, nil, nil, err
			}
			prefix := "gin:" + filepath.Base(at.dir) + ":"
			if err := ginredis.SetKeyPrefix(store, prefix); err != nil {
				return nil, nil, nil, err
			}
			inner, err := ginredis.GetRedisStore(store)
			if err == nil {
				inner.SetMaxLength(1 << 20) // 4096 by default, into which the large session does not fit
			}
			return store, keysOf(pool, prefix), pool, err
		})},
}

type ginSite struct {
	store  sessions.Store
	count  func() (int, error)
	closer io.Closer
}

func openGin(
	open func(place, []byte) (sessions.Store, func() (int, error), io.Closer, error),
) func(context.Context, place) (site, error) {
	gin.SetMode(gin.ReleaseMode)
	return func(_ context.Context, at place) (site, error) {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		store, count, closer, err := open(at, key)
		return &ginSite{store, count, closer}, err
	}
}

func (s *ginSite) on(h handler) entry {
	engine := gin.New()
	engine.Use(sessions.Sessions("session", s.store))
	engine.GET("/", func(c *gin.Context) {
		v := &ginValues{}
		body := h(func() Values {
			v.s = sessions.Default(c)
			return v
		})
		if v.changed {
			if err := v.s.Save(); err != nil {
				c.String(http.StatusInternalServerError, err.Error())
				return
			}
		}
		answer(c.Writer, body)
	})
	return httpEntry{engine}
}

func (s *ginSite) entries() (int, error) {
	if s.count == nil {
		return -1, nil
	}
	return s.count()
}

func (s *ginSite) close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

type ginValues struct {
	s       sessions.Session
	changed bool
}

func (v *ginValues) Int(key string) int {
	n, _ := v.s.Get(key).(int)
	return n
}

func (v *ginValues) set(key string, value any) {
	v.s.Set(key, value)
	v.changed = true
}

func (v *ginValues) SetInt(key string, n int) { v.set(key, n) }
func (v *ginValues) SetText(key, text string) { v.set(key, text) }
func (v *ginValues) Login(user string)        { v.set("user", user) } // it cannot renew the id
func (v *ginValues) Logout() {
	v.s.Clear()
	v.s.Options(sessions.Options{Path: "/", MaxAge: -1})
	v.changed = true
}
