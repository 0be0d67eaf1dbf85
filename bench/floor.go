//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/redis/rueidis"
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

// rawCommands measures what the stores' own commands cost in this process: one read by key, one write by key, of 400 bytes.
func (b *book) rawCommands(ctx context.Context, at place) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, c := range []struct{ store, driver, dsn, blob, mark string }{
		{inSQLite, "sqlite", "file:" + dir + "/raw.db" + sqliteOptions, "BLOB", "?"},
		{inPostgreSQL, "pgx", at.postgres.dsn, "BYTEA", "$"},
		{inMySQL, "mysql", at.mysql.dsn, "BLOB", "?"},
	} {
		if err := b.rawSQL(ctx, c.store, c.driver, c.dsn, c.blob, c.mark); err != nil {
			return fmt.Errorf("%s: %w", c.store, err)
		}
	}
	return b.rawRedis(ctx, at)
}

var payload = bytes.Repeat([]byte("x"), 400)

func (b *book) rawSQL(ctx context.Context, store, driver, dsn, blob, mark string) error {
	db, err := openDB(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	first, second := mark, mark
	if mark == "$" {
		first, second = "$1", "$2"
	}
	for _, statement := range []string{"DROP TABLE IF EXISTS raw", "CREATE TABLE raw (id VARCHAR(64) PRIMARY KEY, data " + blob + " NOT NULL, version INT NOT NULL DEFAULT 1)"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO raw (id, data) VALUES ("+first+", "+second+")", "one", payload); err != nil {
		return err
	}
	get, err := db.PrepareContext(ctx, "SELECT data FROM raw WHERE id = "+first)
	if err != nil {
		return err
	}
	put, err := db.PrepareContext(ctx, "UPDATE raw SET data = "+first+", version = version + 1 WHERE id = "+second)
	if err != nil {
		return errors.Join(err, get.Close())
	}
	var failed error
	b.time(figure{rawCommand, store, "read"}, func() {
		var data sql.RawBytes
		rows, err := get.QueryContext(ctx, "one")
		if err != nil {
			failed = err
			return
		}
		for rows.Next() {
			failed = errors.Join(failed, rows.Scan(&data))
		}
		failed = errors.Join(failed, rows.Close())
	})
	b.time(figure{rawCommand, store, "write"}, func() {
		if _, err := put.ExecContext(ctx, payload, "one"); err != nil {
			failed = err
		}
	})
	return errors.Join(failed, get.Close(), put.Close())
}

func (b *book) rawRedis(ctx context.Context, at place) error {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{at.redis.address}, DisableCache: true})
	if err != nil {
		return err
	}
	defer client.Close()
	var failed error
	value := string(payload)
	b.time(figure{rawCommand, inRedis, "write"}, func() {
		failed = errors.Join(failed, client.Do(ctx, client.B().Set().Key("raw").Value(value).Build()).Error())
	})
	b.time(figure{rawCommand, inRedis, "read"}, func() {
		failed = errors.Join(failed, client.Do(ctx, client.B().Get().Key("raw").Build()).Error())
	})
	return failed
}
