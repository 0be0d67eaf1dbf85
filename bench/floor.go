//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"runtime"
	"time"
)

// checkSigned parses a cookie of 100 bytes and verifies its HMAC.
func checkSigned() func() {
	key := bytes.Repeat([]byte{7}, 32)
	sign := func(value string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(value))
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	const value = "0123456789012345678901234567890123456789012"
	header := http.Header{"Cookie": {"session=" + value + "." + sign(value)}}
	return func() {
		r := http.Request{Header: header}
		c, err := r.Cookie("session")
		if err != nil || !hmac.Equal([]byte(c.Value[len(value)+1:]), []byte(sign(c.Value[:len(value)]))) {
			panic("the cookie is not what was made")
		}
	}
}

// turn is how many requests are made, or commands sent, before the other has its turn: some milliseconds.
const turn = 50

// turnsOfRound is how many turns each has for every round of the other measurements.
const turnsOfRound = 40

// besideRaw measures how much of the processors our requests take beyond the raw commands that they send. All take
// turns, so that whatever the machine does at the time meets all of them.
func (r *results) besideRaw(ctx context.Context, l library, at place, turns int) (err error) {
	s, end, err := l.openIn(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, end()) }()
	cookie, _, err := tickets(s)
	if err != nil {
		return err
	}
	if at.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(at.dir)
	raw, err := rawOf(l.store, at)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, raw.close()) }()
	together, err := apart(l.store)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, together()) }()
	// or threads that look for work while a command waits are counted too
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var failed error
	command := func(do func() error) func() { return func() { failed = cmp.Or(failed, do()) } }
	var get, ask, both, change time.Duration
	for range turns {
		get += processorTimeOf(command(raw.get))
		ask += processorTimeOf(s.on(read).repeat(cookie))
		both += processorTimeOf(command(raw.change))
		change += processorTimeOf(s.on(write).repeat(cookie))
	}
	each := time.Duration(turns * turn)
	r.aboveRaw[figure{coatcheck, l.store, "read"}] = (ask - get) / each
	r.aboveRaw[figure{coatcheck, l.store, "write"}] = (change - both) / each
	return failed
}

func processorTimeOf(do func()) time.Duration {
	before := processorTime()
	for range turn {
		do()
	}
	return processorTime() - before
}
