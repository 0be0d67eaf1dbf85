//go:build linux

package main

import (
	"context"
	"slices"
)

// site is a library on a store, ready for requests.
type site interface {
	// on returns an entry that answers with the handler.
	on(h handler) entry
	// entries is how many sessions the store has; -1 where none are kept on the server.
	entries() (int, error)
	close() error
}

// entry is where requests come in.
type entry interface {
	// ask makes a request with a Cookie header, "" for none. It returns the body, and what the browser then sends as
	// its Cookie header.
	ask(cookie string) (body, next string, err error)
	// repeat returns a function that makes the same request again and again, as cheaply as the library's kind of server
	// can.
	repeat(cookie string) func()
	// listen serves it over loopback, and returns the address.
	listen() (url string, stop func(), err error)
}

// library is one implementation to measure.
type library struct {
	name  string // such as "scs"
	store string // one of stores
	note  string // what is particular, "" for nothing
	ours  bool
	open  func(ctx context.Context, at place) (site, error)
}

// String names it in tables.
func (l library) String() string {
	if l.note == "" {
		return l.name
	}
	return l.name + ", " + l.note
}

// place is where a site may keep its sessions: the addresses of the servers, which may lead through a proxy that
// counts, and a folder of its own.
type place struct {
	dir                    string
	postgres, mysql, redis server
}

// server is where one listens.
type server struct{ address, dsn string }

// The stores, in the order of the tables.
const (
	inMemory     = "memory"
	inCookie     = "cookie"
	inFiles      = "files"
	inSQLite     = "SQLite"
	inPostgreSQL = "PostgreSQL"
	inMySQL      = "MySQL"
	inRedis      = "Redis"
)

var (
	stores    = []string{inMemory, inCookie, inFiles, inSQLite, inPostgreSQL, inMySQL, inRedis}
	onServers = []string{inPostgreSQL, inMySQL, inRedis}

	// besideCommands are the stores where our part of a request is measured beside the raw commands.
	besideCommands = append([]string{inSQLite}, onServers...)
)

func libraries() []library {
	return slices.Concat(coatcheckLibraries, scsLibraries, gorillaLibraries, ginLibraries, fiberLibraries)
}
