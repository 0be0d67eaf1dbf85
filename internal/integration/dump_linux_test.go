package integration_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/redisstore"
)

// dumped is a store and everything that its backend holds, as somebody sees it who has stolen the backend.
type dumped struct {
	name string
	open func(t *testing.T) (store session.Store, dump func(t *testing.T) []byte)
}

var dumpedStores = []dumped{
	{"memory", func(t *testing.T) (session.Store, func(*testing.T) []byte) {
		store := memstore.New(memstore.Options{})
		return store, func(t *testing.T) []byte { return snapshot(t, store) }
	}},
	{"the cookie's revocations", func(t *testing.T) (session.Store, func(*testing.T) []byte) {
		list := memstore.New(memstore.Options{})
		store, err := cookiestore.New(cookiestore.Options{Revocations: list})
		if err != nil {
			t.Fatal(err)
		}
		return store, func(t *testing.T) []byte { return snapshot(t, list) }
	}},
	{"file", func(t *testing.T) (session.Store, func(*testing.T) []byte) {
		dir := filepath.Join(t.TempDir(), "sessions")
		return filesIn(t, dir), func(t *testing.T) []byte { return filesBelow(t, dir) }
	}},
	{"SQLite", func(t *testing.T) (session.Store, func(*testing.T) []byte) {
		path := sqliteFile(t)
		db := openSQLite(t, path)
		return migrated(t, db, ""), func(t *testing.T) []byte {
			return append(filesBelow(t, filepath.Dir(path)), rows(t, db, "sessions")...)
		}
	}},
	{"PostgreSQL", func(t *testing.T) (session.Store, func(*testing.T) []byte) { return serverDump(t, sqlServers[0]) }},
	{"MySQL", func(t *testing.T) (session.Store, func(*testing.T) []byte) { return serverDump(t, sqlServers[1]) }},
	{"Redis", func(t *testing.T) (session.Store, func(*testing.T) []byte) {
		r, err := servers.SharedRedis()
		if err != nil {
			t.Fatal(err)
		}
		prefix := newPrefix()
		client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
		return redisStore(t, client, redisstore.Options{Prefix: prefix}),
			func(t *testing.T) []byte { return redisDump(t, client, prefix) }
	}},
}

// snapshot is every field of every record.
func snapshot(t *testing.T, store *memstore.Store) []byte {
	t.Helper()
	list, err := store.Page(context.Background(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, r := range list {
		r = loaded(t, store, r.ID)
		fmt.Fprintln(&b, r.ID, r.User, r.Successor, r.UserAgent, r.RemoteIP, r.CreatedAt, string(r.Data))
	}
	return b.Bytes()
}

func filesBelow(t *testing.T, dir string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		all = append(append(all, name...), '\n')
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		all = append(all, text...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// rows is every column of every row.
func rows(t *testing.T, db *sql.DB, table string) (all []byte) {
	t.Helper()
	list, err := db.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	names, err := list.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for list.Next() {
		values := make([]sql.RawBytes, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := list.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			all = append(append(all, v...), '\n')
		}
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// serverDump sees the rows and, where the server is a private one, what has come into its files since: tables, logs and
// what it writes ahead. The other tests have left a gigabyte there.
func serverDump(t *testing.T, s server) (session.Store, func(*testing.T) []byte) {
	t.Helper()
	began := time.Now().Add(-time.Second) // the clock of a file system may be behind
	db, table := s.open(t), s.table()
	return s.store(t, db, table), func(t *testing.T) []byte {
		all := rows(t, db.DB, table)
		at, err := s.start()
		if err != nil {
			t.Fatal(err)
		}
		if at.Server == nil {
			return all
		}
		_ = filepath.WalkDir(at.Dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() { // files come and go under a running server
				return nil
			}
			if info, err := d.Info(); err == nil && info.ModTime().After(began) {
				all = appendFile(all, name)
			}
			return nil
		})
		return all
	}
}

// appendFile appends what a file holds, but for the blocks of zeros, of which servers keep a hundred megabytes.
func appendFile(all []byte, name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		return all
	}
	defer f.Close()
	block, zeros := make([]byte, 1<<16), make([]byte, 1<<16)
	for err == nil {
		var n int
		n, err = io.ReadFull(f, block)
		if !bytes.Equal(block[:n], zeros[:n]) {
			all = append(all, block[:n]...)
		}
	}
	return all
}

// redisDump is every key with the prefix, and what the server says it holds.
func redisDump(t *testing.T, client rueidis.Client, prefix string) []byte {
	t.Helper()
	ctx := context.Background()
	keys, err := client.Do(ctx, client.B().Keys().Pattern(prefix+"*").Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, key := range keys {
		dump, err := client.Do(ctx, client.B().Dump().Key(key).Build()).ToString()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, key, dump)
		kind, _ := client.Do(ctx, client.B().Type().Key(key).Build()).ToString()
		switch kind { // DUMP compresses long values
		case "hash":
			fields, _ := client.Do(ctx, client.B().Hgetall().Key(key).Build()).AsStrMap()
			for k, v := range fields {
				fmt.Fprintln(&b, k, v)
			}
		case "string":
			v, _ := client.Do(ctx, client.B().Get().Key(key).Build()).ToString()
			fmt.Fprintln(&b, v)
		}
	}
	return b.Bytes()
}

// Whatever a site did, its backend holds no ticket in any spelling, and no value when it is sealed. The dump is
// shown to hold what it may: the id, so that it is not the dump that is blind.
func TestNoDumpHoldsATicketOrASealedValue(t *testing.T) {
	const canary = "canary-value-4f1d"
	for _, d := range dumpedStores {
		t.Run(d.name, func(t *testing.T) {
			store, dump := d.open(t)
			v := newVictim(t, store, func(o *session.Options) {
				o.RenewEvery, o.RequireSealed = time.Millisecond, true
			})
			secrets := [][]byte{[]byte(canary), []byte("canary-key"), attackSecret}
			var ids []string
			b, gone := v.guest(), v.guest()
			for _, step := range []func(*session.Session){
				func(s *session.Session) { s.Set("canary-key", canary) }, login,
				func(s *session.Session) { s.Flash("canary-key", canary) },
				look, func(s *session.Session) { s.Append("list", canary, canary) }, (*session.Session).Regenerate,
				look,
			} {
				v.advance(1e6)
				b.visit(func(s *session.Session) { step(s); ids = append(ids, s.ID()) })
				secrets = append(secrets, spellings(b.ticket())...)
			}
			gone.visit(func(s *session.Session) { login(s); s.Set("canary-key", canary) })
			secrets = append(secrets, spellings(gone.ticket())...)
			gone.visit((*session.Session).Logout)

			all := dump(t)
			if !holdsID(all, ids[1]) {
				t.Errorf("the dump of %d bytes does not even hold an id", len(all))
			}
			for i, secret := range secrets {
				if bytes.Contains(all, secret) {
					t.Errorf("the dump holds secret %d of %d bytes", i, len(secret))
				}
			}
		})
	}
}

// holdsID reports whether an id is there as bytes, or as digits in small or capital letters.
func holdsID(all []byte, id string) bool {
	raw, _ := hex.DecodeString(id)
	return bytes.Contains(all, []byte(id)) || bytes.Contains(all, raw) ||
		bytes.Contains(all, []byte(strings.ToUpper(id)))
}

// spellings are the forms in which a ticket could be kept: whole, its random half as text, as bytes and in hexadecimal
// digits. Of a carried session the whole is the secret.
func spellings(ticket string) [][]byte {
	all := [][]byte{[]byte(ticket)}
	parts := strings.Split(ticket, ".")
	if parts[0] != "v1" {
		return all
	}
	random, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return append(all, []byte(parts[1]), []byte(parts[2]), random, []byte(hex.EncodeToString(random)),
		[]byte(base64.StdEncoding.EncodeToString(random)))
}

// What is not sealed is found, so that the search finds.
func TestADumpShowsWhatIsNotSealed(t *testing.T) {
	for _, d := range dumpedStores {
		if d.name == "the cookie's revocations" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			store, dump := d.open(t)
			v := newVictim(t, store, func(o *session.Options) { o.Seal = false })
			v.guest().visit(func(s *session.Session) { s.Set("x", "canary-plain-77b0") })
			if !bytes.Contains(dump(t), []byte("canary-plain-77b0")) {
				t.Error("the value is not found")
			}
		})
	}
}
