//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/boj/redistore"
	"github.com/gorilla/sessions"
)

var gorillaLibraries = []library{
	{"gorilla", inCookie, "", false,
		openGorilla(func(_ place, key []byte) (sessions.Store, func() (int, error), io.Closer, error) {
			return sessions.NewCookieStore(key), nil, nil, nil
		})},
	{"gorilla", inFiles, "", false,
		openGorilla(func(at place, key []byte) (sessions.Store, func() (int, error), io.Closer, error) {
			dir := filepath.Join(at.dir, "gorilla")
			store := sessions.NewFilesystemStore(dir, key)
			store.MaxLength(1 << 20) // 4096 by default, into which the large session does not fit
			return store, filesOf(dir), nil, os.MkdirAll(dir, 0o700)
		})},
	{"gorilla", inRedis, "", false,
		openGorilla(func(at place, key []byte) (sessions.Store, func() (int, error), io.Closer, error) {
			pool := redisPool(at)
			store, err := redistore.NewRediStoreWithPool(pool, key)
			if err != nil {
				return nil, nil, nil, err
			}
			prefix := "gorilla:" + filepath.Base(at.dir) + ":"
			store.SetKeyPrefix(prefix)
			store.SetMaxLength(1 << 20)
			return store, keysOf(pool, prefix), pool, nil
		})},
}

func filesOf(dir string) func() (int, error) {
	return func() (int, error) {
		list, err := os.ReadDir(dir)
		return len(list), err
	}
}

type gorillaSite struct {
	store  sessions.Store
	count  func() (int, error)
	closer io.Closer
}

func openGorilla(
	open func(place, []byte) (sessions.Store, func() (int, error), io.Closer, error),
) func(context.Context, place) (site, error) {
	return func(_ context.Context, at place) (site, error) {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		store, count, closer, err := open(at, key)
		return &gorillaSite{store, count, closer}, err
	}
}

func (s *gorillaSite) on(h handler) entry {
	return httpEntry{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &gorillaValues{}
		body := h(func() Values {
			v.s, v.err = s.store.Get(r, "session")
			return v
		})
		if v.err == nil && v.changed {
			v.err = s.store.Save(r, w, v.s)
		}
		if v.err != nil {
			http.Error(w, v.err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, body)
	})}
}

func (s *gorillaSite) entries() (int, error) {
	if s.count == nil {
		return -1, nil
	}
	return s.count()
}

func (s *gorillaSite) close() error {
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

type gorillaValues struct {
	s       *sessions.Session
	err     error
	changed bool
}

func (v *gorillaValues) Int(key string) int {
	n, _ := v.s.Values[key].(int)
	return n
}

func (v *gorillaValues) set(key string, value any) {
	v.s.Values[key] = value
	v.changed = true
}

func (v *gorillaValues) SetInt(key string, n int) { v.set(key, n) }
func (v *gorillaValues) SetText(key, text string) { v.set(key, text) }
func (v *gorillaValues) Login(user string)        { v.set("user", user) } // it cannot renew the id
func (v *gorillaValues) Logout() {
	v.s.Options.MaxAge = -1
	v.changed = true
}
