//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// raw is a store's own commands, by hand, with which a store keeps its promises: the row of a session is read
// by its key, replaced if nobody else did so meanwhile, and made, with a deadline as any server sets one.
type raw struct {
	get, put, add func() error
	closers       []io.Closer
}

func (r *raw) close() (err error) {
	for _, c := range r.closers {
		err = cmp.Or(err, c.Close())
	}
	return err
}

// change reads and replaces, as a request does that writes. Fifty replacements in a row find the code of the server
// still in the caches of its processor, which no request does.
func (r *raw) change() error { return cmp.Or(r.get(), r.put()) }

// of returns the commands that a scenario takes at least; nil where it takes none.
func (r *raw) of(scenario string) func() error {
	switch {
	case scenario == "read":
		return r.get
	case scenario == "write" && r.put != nil:
		return r.change
	case scenario == "new":
		return r.add
	}
	return nil
}

// withCommands are the stores that have raw commands.
var withCommands = append([]string{inFiles}, besideCommands...)

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
	get, err := db.Prepare(marked(dialect, "SELECT * FROM "+table+" WHERE id = ?"))
	if err != nil {
		return r, err
	}
	put, err := db.Prepare(marked(dialect, "UPDATE "+table+" SET data = ?, seen_at = ?, expires_at = ?, version = "+
		"version + 1 WHERE id = ? AND version = ?"))
	if err != nil {
		return r, err
	}
	add, err := db.Prepare(marked(dialect, "INSERT INTO "+table+" (id, version, kind, user_id, successor, "+
		"created_at, seen_at, login_at, expires_at, due_at, remote_ip, user_agent, persistent, data) VALUES "+
		"(?, 1, 0, '', '', ?, ?, ?, ?, ?, '', '', 0, ?)"))
	if err != nil {
		return r, err
	}
	version, data := 1, slices.Clone(payload)
	r.get = timely(func(ctx context.Context) error { return readRow(ctx, get, rec.ID) })
	r.put = timely(func(ctx context.Context) error {
		seen, expires := times()
		copy(data, strconv.Itoa(version))
		_, err := put.ExecContext(ctx, data, seen, expires, rec.ID, version)
		version++
		return err
	})
	r.add = timely(func(ctx context.Context) error {
		seen, expires := times()
		_, err := add.ExecContext(ctx, newKey(), seen, seen, seen, expires, expires, payload)
		return err
	})
	return r, nil
}

// times are when a session is seen, and when it ends, which moves with that.
func times() (seen, expires int64) {
	now := time.Now()
	return now.UnixMicro(), now.Add(time.Hour).UnixMicro()
}

// marked writes the parameters of a statement as the database has them.
func marked(dialect sqlstore.Dialect, statement string) string {
	if dialect != sqlstore.PostgreSQL {
		return statement
	}
	parts := strings.Split(statement, "?")
	for i := range parts[:len(parts)-1] {
		parts[i] += "$" + strconv.Itoa(i+1)
	}
	return strings.Join(parts, "")
}

// newKey is as long as the id of a session, and nobody has it.
func newKey() string {
	key := make([]byte, 0, 32)
	for range 4 {
		key = binary.LittleEndian.AppendUint64(key, rand.Uint64())
	}
	return hex.EncodeToString(key)
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

// compareAndSet replaces a value that begins as it should.
var compareAndSet = rueidis.NewLuaScript(`
if redis.call('GETRANGE', KEYS[1], 0, 19) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

// rawRedis makes a session with the two indexes that it takes to list all of them and to find those that have ended.
func rawRedis(at place) (*raw, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{at.redis.address}, DisableCache: true})
	if err != nil {
		return nil, err
	}
	value, next, changes := string(payload), bytes.Clone(payload), uint64(0)
	hour := strconv.FormatInt(time.Hour.Milliseconds(), 10)
	r := &raw{
		get: timely(func(ctx context.Context) error {
			return client.Do(ctx, client.B().Get().Key("raw").Build()).Error()
		}),
		put: timely(func(ctx context.Context) error {
			changes++
			binary.LittleEndian.PutUint64(next[20:], changes) // of a text that stays the same the server keeps one copy
			return compareAndSet.Exec(ctx, client, []string{"raw"}, []string{value[:20], string(next), hour}).Error()
		}),
		add: timely(func(ctx context.Context) error {
			key := newKey()
			index := "{" + key[:2] + "}"
			set := client.B().Set().Key("raw:" + key).Value(value).Nx().Px(time.Hour).Build()
			all := client.B().Zadd().Key("raw:all"+index).ScoreMember().ScoreMember(0, key).Build()
			due := client.B().Zadd().Key("raw:due"+index).ScoreMember().
				ScoreMember(float64(time.Now().UnixMicro()), key+key[:48]).Build()
			return firstError(client.DoMulti(ctx, set, all, due))
		}),
		closers: []io.Closer{closing(client.Close)},
	}
	return r, client.Do(context.Background(), client.B().Set().Key("raw").Value(value).Build()).Error()
}

func firstError(replies []rueidis.RedisResult) (err error) {
	for _, r := range replies {
		err = cmp.Or(err, r.Error())
	}
	return err
}

// rawFiles reads a file, and replaces it so that a crash leaves the old one or the new one.
func rawFiles(at place) *raw {
	name := filepath.Join(at.dir, "raw")
	replace := func(name string) error {
		return cmp.Or(synced(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, payload),
			os.Rename(name+".new", name), synced(at.dir, os.O_RDONLY, nil))
	}
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
		put: func() error { return replace(name) },
		add: func() error { return replace(name + newKey()) },
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
