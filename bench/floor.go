//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
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

// raw is a store's own commands, by hand: the row of a session is read by its key, and written back, with a deadline as
// any server sets one.
type raw struct {
	get, put func() error
	closers  []io.Closer
}

func (r *raw) close() (err error) {
	for _, c := range r.closers {
		err = cmp.Or(err, c.Close())
	}
	return err
}

var payload = bytes.Repeat([]byte("x"), 400)

func rawSQL(dialect sqlstore.Dialect, at place) (*raw, error) {
	ctx := context.Background()
	db, err := openSQL(dialect, at)
	if err != nil {
		return nil, err
	}
	r := &raw{closers: []io.Closer{db}}
	table := "raw_" + filepath.Base(at.dir)
	sessions, err := sqlstore.New(db, sqlstore.Options{Dialect: dialect, Table: table})
	if err != nil {
		return r, err
	}
	now := time.Now()
	rec := &session.Record{ID: strings.Repeat("a", 64), User: "ada", CreatedAt: now, SeenAt: now, LoginAt: now,
		ExpiresAt: now.Add(time.Hour), Data: payload}
	if err := cmp.Or(sessions.Migrate(ctx), sessions.Save(ctx, rec), sessions.Close()); err != nil {
		return r, err
	}
	marks := []any{"?", "?", "?", "?"}
	if dialect == sqlstore.PostgreSQL {
		marks = []any{"$1", "$2", "$3", "$4"}
	}
	get, err := db.Prepare(fmt.Sprintf("SELECT * FROM "+table+" WHERE id = %s", marks[0]))
	if err != nil {
		return r, err
	}
	put, err := db.Prepare(fmt.Sprintf("UPDATE "+table+" SET data = %s, seen_at = %s, expires_at = %s, version = "+
		"version + 1 WHERE id = %s", marks...))
	if err != nil {
		return r, err
	}
	r.get = timely(func(ctx context.Context) error { return readRow(ctx, get, rec.ID) })
	r.put = timely(func(ctx context.Context) error {
		_, err := put.ExecContext(ctx, payload, now.UnixMicro(), now.UnixMicro(), rec.ID)
		return err
	})
	return r, nil
}

// timely gives something a deadline.
func timely(do func(context.Context) error) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return do(ctx)
	}
}

// readRow reads a whole row.
func readRow(ctx context.Context, get *sql.Stmt, id string) error {
	rows, err := get.QueryContext(ctx, id)
	if err != nil {
		return err
	}
	columns, err := rows.Columns()
	if err != nil {
		return errors.Join(err, rows.Close())
	}
	values := make([]sql.RawBytes, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return rows.Close()
}

func rawRedis(at place) (*raw, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{at.redis.address}, DisableCache: true})
	if err != nil {
		return nil, err
	}
	value := string(payload)
	r := &raw{
		get: timely(func(ctx context.Context) error {
			return client.Do(ctx, client.B().Get().Key("raw").Build()).Error()
		}),
		put: timely(func(ctx context.Context) error {
			return client.Do(ctx, client.B().Set().Key("raw").Value(value).Build()).Error()
		}),
		closers: []io.Closer{closing(client.Close)},
	}
	return r, r.put()
}

// rawFiles reads a file, and replaces it so that a crash leaves the old one or the new one.
func rawFiles(at place) *raw {
	name := filepath.Join(at.dir, "raw")
	buf := make([]byte, 2*len(payload))
	return &raw{
		get: func() error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			_, err = f.Read(buf)
			return cmp.Or(err, f.Close())
		},
		put: func() error {
			return cmp.Or(synced(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, payload),
				os.Rename(name+".new", name), synced(at.dir, os.O_RDONLY, nil))
		},
	}
}

// synced opens a file or folder, writes what there is, and waits until the disk has it.
func synced(name string, flag int, data []byte) error {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		_, err = f.Write(data)
	}
	return cmp.Or(err, f.Sync(), f.Close())
}

// byHand measures the commands of a store without a library.
func (b *book) byHand(store string, at place) (err error) {
	if at.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(at.dir)
	r, err := rawOf(store, at)
	if err != nil {
		return err
	}
	failed := r.put()
	b.time(figure{rawCommand, store, "read"}, func() { failed = cmp.Or(failed, r.get()) })
	b.time(figure{rawCommand, store, "write"}, func() { failed = cmp.Or(failed, r.put()) })
	return cmp.Or(failed, r.close())
}

// rawOf returns the raw commands of a store that has a library here.
func rawOf(store string, at place) (*raw, error) {
	switch store {
	case inFiles:
		return rawFiles(at), nil
	case inSQLite:
		return rawSQL(sqlstore.SQLite, at)
	case inPostgreSQL:
		return rawSQL(sqlstore.PostgreSQL, at)
	case inMySQL:
		return rawSQL(sqlstore.MySQL, at)
	}
	return rawRedis(at)
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
	// or threads that look for work while a command waits are counted too
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var failed error
	command := func(do func() error) func() { return func() { failed = cmp.Or(failed, do()) } }
	var get, put, ask, change time.Duration
	for range turns {
		get += processorTimeOf(command(raw.get))
		ask += processorTimeOf(s.on(read).repeat(cookie))
		put += processorTimeOf(command(raw.put))
		change += processorTimeOf(s.on(write).repeat(cookie))
	}
	each := time.Duration(turns * turn)
	r.aboveRaw[figure{coatcheck, l.store, "read"}] = (ask - get) / each
	r.aboveRaw[figure{coatcheck, l.store, "write"}] = (change - get - put) / each
	return failed
}

func processorTimeOf(do func()) time.Duration {
	before := processorTime()
	for range turn {
		do()
	}
	return processorTime() - before
}
