//go:build linux

package main

import (
	"strconv"
	"strings"
)

// Values is a session as the handlers use it, whatever library has it.
type Values interface {
	Int(key string) int // 0 when there is none
	SetInt(key string, n int)
	SetText(key, text string)
	Login(user string)
	Logout()
}

// handler answers a request. It calls load once or not at all.
type handler func(load func() Values) string

// The keys of the sessions.
const (
	counter = "n"
	manyKey = "key7" // of the large session
)

// scenario is what one request does.
type scenario struct {
	name   string
	large  bool // on the session of 10 KB in 50 keys
	ticket bool // with the ticket of a session
	do     handler
}

var scenarios = []scenario{
	{"untouched", false, true, func(func() Values) string { return "ok" }},
	{"anonymous", false, false, func(load func() Values) string { return strconv.Itoa(load().Int(counter)) }},
	{"read", false, true, read},
	{"write", false, true, write},
	{"new", false, false, write},
	{"read 10 KB", true, true, read},
	{"write 10 KB", true, true, write},
}

func read(load func() Values) string { return strconv.Itoa(load().Int(counter)) }

func write(load func() Values) string {
	s := load()
	n := s.Int(counter) + 1
	s.SetInt(counter, n)
	return strconv.Itoa(n)
}

func login(load func() Values) string { return loginAs("ada")(load) }

func loginAs(user string) handler {
	return func(load func() Values) string {
		s := load()
		s.Login(user)
		s.SetInt(counter, 1)
		return "in"
	}
}

func logout(load func() Values) string {
	load().Logout()
	return "out"
}

// fill makes the session of 10 KB in 50 keys.
func fill(load func() Values) string { return fillWith(50)(load) }

// fillWith makes a session of some keys with 200 bytes each.
func fillWith(keys int) handler {
	return func(load func() Values) string {
		s := load()
		for i := range keys {
			s.SetText("key"+strconv.Itoa(i), strings.Repeat(strconv.Itoa(i%10), 200))
		}
		s.SetInt(counter, 1)
		return "filled"
	}
}

func named(name string) scenario {
	for _, s := range scenarios {
		if s.name == name {
			return s
		}
	}
	return scenario{}
}
