package sessionconfig

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// Key describes a key, for documents and help.
type Key struct {
	Name    string // "*" stands for a name of your own
	About   string // in one line
	Allowed string
	Option  string // the field of session.Options or of a store's Options that it sets; "" for none
}

// entry is a key and what it does.
type entry struct {
	Key
	hidden bool // the value is not to be shown
	set    func(c *Config, name string, v any) error
}

// to makes the function that sets a field. name is what stands for "*".
func to[T any](parse func(any) (T, error), field func(c *Config, name string) *T) func(*Config, string, any) error {
	return func(c *Config, name string, v any) error {
		x, err := parse(v)
		if err == nil {
			*field(c, name) = x
		}
		return err
	}
}

// Keys lists every key, in the order in which documents show them.
func Keys() []Key {
	list := make([]Key, len(schema))
	for i, e := range schema {
		list[i] = e.Key
	}
	return list
}

const (
	aDuration = "a duration such as 90s, 30m, 24h or 30d"
	aBool     = "true or false"
	aCount    = "a whole number, 0 or more"
	aSize     = "a number of bytes, or with a unit: 64KiB, 1MiB"
	aText     = "text"
	aCommand  = "a program and its arguments, as a list or with spaces between them"
)

var schema = slices.Concat(generalKeys, secretKeys, cookieKeys, timeKeys, assuranceKeys, limitKeys, deviceKeys,
	guardKeys, storeKeys, connectionKeys)

var generalKeys = []entry{
	{Key: Key{"preset", "the library whose names and units the other keys use", "nexios, expanse or authx", ""},
		set: to(choice(map[string]string{"nexios": "nexios", "expanse": "expanse", "authx": "authx"}),
			func(c *Config, _ string) *string { return &c.Preset })},
	{Key: Key{"store", "where sessions are kept", "database, file, memory (or dict), cookies, redis, null, or a name " +
		"given to Register", ""},
		set: to(storeName, func(c *Config, _ string) *string { return &c.Store })},
	{Key: Key{"transport", "what carries the ticket",
		`cookie, "header NAME", "bearer NAME" (of the response), or a list of these`, "Transport"},
		set: to(transport, func(c *Config, _ string) *session.Transport { return &c.Options.Transport })},
	{Key: Key{"codec", "how values are encoded", "json, or a name given to RegisterCodec", "Codec"},
		set: to(codecNamed, func(c *Config, _ string) *session.Codec { return &c.Options.Codec })},
	{Key: Key{"skip_headers", "request headers that switch sessions off for a request",
		`a name, a map of names and values ("*": any), or a list of these`, "Skip"},
		set: to(skipHeaders, func(c *Config, _ string) *[]skipHeader { return &c.skips })},
	{Key: Key{"trusted_proxies", "proxies whose X-Forwarded-For and Forwarded are believed",
		"addresses and prefixes such as 10.0.0.0/8, as a list or with commas", "ClientIP"},
		set: to(prefixes, func(c *Config, _ string) *[]netip.Prefix { return &c.proxies })},
	{Key: Key{"log.format", "how events and failures are written to standard error",
		"none, text or json; if left out, slog.Default gets them", "Logger"},
		set: to(choice(map[string]string{"none": "none", "text": "text", "json": "json"}),
			func(c *Config, _ string) *string { return &c.logFormat })},
	{Key: Key{"log.level", "the lowest level that is written, with log.format",
		"debug (all events), info, warn or error", "Logger"},
		set: to(choice(map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
			"error": slog.LevelError}),
			func(c *Config, _ string) *slog.Level { return &c.logLevel })},
}

var secretKeys = []entry{
	{Key: Key{"secrets.env", "the environment variable that holds the secrets, newest first", "the name of a variable",
		"Secrets"},
		set: to(variable, func(c *Config, _ string) *string { return &c.secrets.env })},
	{Key: Key{"secrets.file", "the file that holds them, readable by its owner only", "a path", "Secrets"},
		set: to(path, func(c *Config, _ string) *string { return &c.secrets.file })},
	{Key: Key{"secrets.command", "the program that prints them", aCommand, "Secrets"},
		set: to(command, func(c *Config, _ string) *[]string { return &c.secrets.command })},
	{Key: Key{"secrets.reload", "read them again every minute, so that coatcheck key rotate needs no restart", aBool,
		"SecretSource"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.reload })},
	{Key: Key{"secrets.insecure_short_key", "accept a secret_key of a preset that is too short for anything but " +
		"trying things out", aBool, ""},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.allowShort })},
}

var cookieKeys = []entry{
	{Key: Key{"cookie.name", "the name of the cookie", "letters, digits and -_.!#$%&'*+^`|~", "Cookie.Name"},
		set: to(text, func(c *Config, _ string) *string { return &c.Options.Cookie.Name })},
	{Key: Key{"cookie.former_names", "names that the cookie had before; their sessions go on under the new name",
		"names, as a list or with commas", "Cookie.FormerNames"},
		set: to(list, func(c *Config, _ string) *[]string { return &c.Options.Cookie.FormerNames })},
	{Key: Key{"cookie.domain", "the domain whose subdomains share the cookie", "a domain such as example.com",
		"Cookie.Domain"},
		set: to(text, func(c *Config, _ string) *string { return &c.Options.Cookie.Domain })},
	{Key: Key{"cookie.path", "the part of the site that gets the cookie", "a path such as /dashboard", "Cookie.Path"},
		set: to(text, func(c *Config, _ string) *string { return &c.Options.Cookie.Path })},
	{Key: Key{"cookie.same_site", "whether requests that other sites cause carry the cookie", "lax, strict or none",
		"Cookie.SameSite"},
		set: to(sameSite, func(c *Config, _ string) *http.SameSite { return &c.Options.Cookie.SameSite })},
	{Key: Key{"cookie.insecure", "leave out Secure, for development without HTTPS", aBool, "Cookie.Insecure"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.Cookie.Insecure })},
	{Key: Key{"cookie.script_access", "leave out HttpOnly", aBool, "Cookie.ScriptAccess"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.Cookie.ScriptAccess })},
	{Key: Key{"cookie.partitioned", "keep a separate cookie for each top-level site", aBool, "Cookie.Partitioned"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.Cookie.Partitioned })},
	{Key: Key{"cookie.persistent", "the cookie survives closing the browser", aBool, "Cookie.Persistent"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.Cookie.Persistent })},
}

var timeKeys = []entry{
	{Key: Key{"idle_timeout", "ends a session that has been idle this long", aDuration + ", or never",
		"IdleTimeout"},
		set: to(durationOr("never"), func(c *Config, _ string) *time.Duration { return &c.Options.IdleTimeout })},
	{Key: Key{"lifetime", "ends a session this long after it began, or after the last login", aDuration + ", or never",
		"Lifetime"},
		set: to(durationOr("never"), func(c *Config, _ string) *time.Duration { return &c.Options.Lifetime })},
	{Key: Key{"renew_every", "renews an id that is older than this", aDuration, "RenewEvery"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.Options.RenewEvery })},
	{Key: Key{"renew_grace", "how long the old id still leads to its session", aDuration, "RenewGrace"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.Options.RenewGrace })},
	{Key: Key{"touch_every", "refreshes the idle time of a session at most this often", aDuration + ", or always",
		"TouchEvery"},
		set: to(durationOr("always"), func(c *Config, _ string) *time.Duration { return &c.Options.TouchEvery })},
	{Key: Key{"sweep_every", "the time between two sweeps of what has expired", aDuration + ", or never", "SweepEvery"},
		set: to(durationOr("never"), func(c *Config, _ string) *time.Duration { return &c.Options.SweepEvery })},
	{Key: Key{"watch_every", "how often to ask whether sessions in long-lived responses have ended", aDuration,
		"WatchEvery"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.Options.WatchEvery })},
}

var limitKeys = []entry{
	{Key: Key{"max_per_user", "how many sessions a user may have; 0: any number", aCount, "MaxPerUser"},
		set: to(count, func(c *Config, _ string) *int { return &c.Options.MaxPerUser })},
	{Key: Key{"overflow", "what a login above max_per_user does", "evict_oldest or refuse_new", "Overflow"},
		set: to(overflow, func(c *Config, _ string) *session.Overflow { return &c.Options.Overflow })},
	{Key: Key{"max_bytes", "how much data a session may have", aSize, "MaxBytes"},
		set: to(size, func(c *Config, _ string) *int { return &c.Options.MaxBytes })},
	{Key: Key{"seal", "encrypt the data in the store", aBool, "Seal"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.Seal })},
	{Key: Key{"clear_on_logout", "have the browser forget the site's cookies and storage at a logout", aBool,
		"ClearOnLogout"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.ClearOnLogout })},
	{Key: Key{"require_sealed", "refuse records that are not encrypted", aBool, "RequireSealed"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.Options.RequireSealed })},
}

var storeKeys = []entry{
	{Key: Key{"stores.database.connection", "the connection that the store uses",
		"the name of one under connections; not needed if there is only one", ""},
		set: to(text, func(c *Config, _ string) *string { return &c.database.connection })},
	{Key: Key{"stores.database.table", "the table of sessions", "letters, digits and underscores",
		"sqlstore.Options.Table"},
		set: to(text, func(c *Config, _ string) *string { return &c.database.table })},
	{Key: Key{"stores.database.migrate", "create the table, or bring it up to date, when the store is opened", aBool,
		""},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.database.migrate })},
	{Key: Key{"stores.file.path", "the folder of the store, created for its owner only", "a path", "filestore.New"},
		set: to(path, func(c *Config, _ string) *string { return &c.file.path })},
	{Key: Key{"stores.file.no_sync", "let the system decide when a record reaches the disk", aBool,
		"filestore.Options.NoSync"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.file.noSync })},
	{Key: Key{"stores.memory.max_sessions", "how many sessions the store keeps; 0: any number", aCount,
		"memstore.Options.MaxSessions"},
		set: to(count, func(c *Config, _ string) *int { return &c.memory.max })},
	{Key: Key{"stores.cookies.max_chunks", "how many cookies of 4096 bytes a session may fill", "a number from 1 to 8",
		"cookiestore.Options.MaxChunks"},
		set: to(count, func(c *Config, _ string) *int { return &c.cookies.chunks })},
	{Key: Key{"stores.cookies.compress", "make sessions smaller, at the risk that the package comment describes", aBool,
		"cookiestore.Options.Compress"},
		set: to(boolean, func(c *Config, _ string) *bool { return &c.cookies.compress })},
	{Key: Key{"stores.cookies.revocations", "the store that remembers which sessions were ended",
		"the name of another store", "cookiestore.Options.Revocations"},
		set: to(storeName, func(c *Config, _ string) *string { return &c.cookies.revocations })},
	{Key: Key{"stores.redis.connection", "the connection that the store uses", "the name of one under connections; " +
		"not needed if there is only one", ""},
		set: to(text, func(c *Config, _ string) *string { return &c.redis.connection })},
	{Key: Key{"stores.redis.prefix", "what every key of the store begins with", "at most 128 bytes without braces",
		"redisstore.Options.Prefix"},
		set: to(text, func(c *Config, _ string) *string { return &c.redis.prefix })},
	{Key: Key{"stores.redis.cache_ttl", "how long records are cached in this process", aDuration,
		"redisstore.Options.CacheTTL"},
		set: to(duration, func(c *Config, _ string) *time.Duration { return &c.redis.cacheTTL })},
}

var connectionKeys = []entry{
	{Key: Key{"connections.*.driver", "the kind of server", "sqlite, postgresql, mysql (also for MariaDB) or redis " +
		"(also for Valkey)", ""},
		set: to(choice(drivers), func(c *Config, name string) *string { return &c.connect(name).driver })},
	{Key: Key{"connections.*.path", "the file of a SQLite database, created if it is missing", "a path", ""},
		set: to(path, func(c *Config, name string) *string { return &c.connect(name).path })},
	{Key: Key{"connections.*.dsn", "how to reach the server, as its driver wants it",
		"text; if it holds a password, use one of the next three keys", ""}, hidden: true,
		set: to(text, func(c *Config, name string) *string { return &c.connect(name).dsn.text })},
	{Key: Key{"connections.*.dsn_env", "the environment variable that holds the dsn", "the name of a variable", ""},
		set: to(variable, func(c *Config, name string) *string { return &c.connect(name).dsn.env })},
	{Key: Key{"connections.*.dsn_file", "the file that holds the dsn, readable by its owner only", "a path", ""},
		set: to(path, func(c *Config, name string) *string { return &c.connect(name).dsn.file })},
	{Key: Key{"connections.*.dsn_command", "the program that prints the dsn", aCommand, ""},
		set: to(command, func(c *Config, name string) *[]string { return &c.connect(name).dsn.command })},
	{Key: Key{"connections.*.pool", "sql: database/sql, with the store sqlstore; pgx: a pool of pgx, with the store " +
		"pgstore, for PostgreSQL only", "sql (also if left out) or pgx", ""},
		set: to(choice(map[string]bool{"sql": false, "pgx": true}), func(c *Config, name string) *bool {
			return &c.connect(name).pool.pgx
		})},
	{Key: Key{"connections.*.max_open", "the most connections to a database at once; 0: 8", aCount, ""},
		set: to(count, func(c *Config, name string) *int { return &c.connect(name).pool.open })},
	{Key: Key{"connections.*.max_idle", "how many idle connections stay open; 0: all", aCount, ""},
		set: to(count, func(c *Config, name string) *int { return &c.connect(name).pool.idle })},
	{Key: Key{"connections.*.max_idle_time", "closes a connection that has been idle this long; 5m if left out",
		aDuration + ", or never", ""},
		set: to(durationOr("never"), func(c *Config, name string) *time.Duration {
			return &c.connect(name).pool.idleTime
		})},
	{Key: Key{"connections.*.max_lifetime", "closes a connection of this age when it is next idle; never if left " +
		"out", aDuration + ", or never", ""},
		set: to(durationOr("never"), func(c *Config, name string) *time.Duration {
			return &c.connect(name).pool.lifetime
		})},
}

var drivers = map[string]string{
	"sqlite": driverSQLite, "sqlite3": driverSQLite, "postgresql": driverPostgreSQL, "postgres": driverPostgreSQL,
	"pgx":   driverPostgreSQL,
	"mysql": driverMySQL, "mariadb": driverMySQL, "redis": driverRedis, "valkey": driverRedis,
}

func name(v any) (string, error) {
	s, err := text(v)
	if err == nil && (s == "" || strings.ContainsAny(s, "= ")) {
		err = errKind
	}
	return s, err
}

// transport reads one way to carry tickets, or several.
func transport(v any) (session.Transport, error) {
	kinds, err := list(v)
	if err != nil {
		return nil, err
	}
	if len(kinds) == 0 {
		return nil, errKind
	}
	all := make([]session.Transport, len(kinds))
	for i, kind := range kinds {
		if all[i], err = oneTransport(kind); err != nil {
			return nil, err
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return session.Transports(all[0], all[1:]...), nil
}

func oneTransport(s string) (session.Transport, error) {
	kind, name, _ := strings.Cut(s, " ")
	switch {
	case s == "cookie":
		return nil, nil
	case kind == "header" && name != "":
		return session.Header(name), nil
	case kind == "bearer" && name != "":
		return session.Bearer(name), nil
	case kind == "bearer":
		return nil, errors.New(`write "bearer NAME", with the response header of new tickets, such as X-Session`)
	}
	return nil, errors.New(suggest(kind, []string{"cookie", "header", "bearer"}))
}
