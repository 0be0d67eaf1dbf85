package sessionconfig

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/guard"
)

// Config is a configuration that was loaded. You may change every field before [Config.Open]. Do not use one from
// several goroutines at the same time.
type Config struct {
	// Options are those that the keys set. Secrets stays empty, because Open reads them, or SecretSource does with
	// secrets.reload. Set OnError, OnEvent, Logger, Now and the other functions here.
	Options session.Options

	// DeviceBound has what the keys below device_bound set, for Config.Bind. nil: sessions are not bound to devices.
	DeviceBound *devicebound.Options

	// Guard has what the keys below guard set, for guard.New. Set its pages, Roles and SignIn.Store in the program.
	// Config.Limit returns what the keys below guard.limits set.
	Guard guard.Options

	// Preset says whose names and units the files use: "nexios", "expanse", "authx", or "" for this package's own.
	Preset string
	// Store is the name of the store.
	Store string
	// Object is the name given by the key session_object of the preset authx: in Go, the variable of the manager.
	Object string

	secrets     source
	allowShort  bool
	reload      bool
	skips       []skipHeader
	proxies     []netip.Prefix
	assurance   level
	logFormat   string
	logLevel    slog.Level
	connections map[string]*connection
	database    databaseStore
	file        fileStore
	memory      memoryStore
	cookies     cookieStore
	redis       redisStore
	own         map[string]map[string]any
	limits      map[string]*guard.Limit
	foreign     []string // variables that are not keys, and nobody knows whose they are

	swept  []session.Store // by a manager of Manager
	warned bool            // by Open, or by one of them

	legacy   legacy
	maxAge   maxAge
	settings []Setting
}

// connection is a server or database that stores may use.
type connection struct {
	driver string
	path   string // of a SQLite file
	dsn    source
	pool   pool
}

type databaseStore struct {
	connection, table string
	migrate           bool
}

type fileStore struct {
	path   string
	given  bool // by WithStore, not by a key
	noSync bool
}

type memoryStore struct{ max int }

type cookieStore struct {
	chunks      int
	compress    bool
	revocations string
}

type redisStore struct {
	connection, prefix string
	cacheTTL           time.Duration
}

// Setting is a key that was set, for people who want to know which value is in force and where it comes from.
type Setting struct {
	Key   string // our name, whatever the preset calls it
	Value string // "[secret]" for what is not to be shown
	From  string // the file, the environment variable, or the preset
}

// Settings lists what was set, sorted by key. Anything not listed has its default.
func (c *Config) Settings() []Setting { return append([]Setting(nil), c.settings...) }

// Connections lists the names of the connections.
func (c *Config) Connections() []string { return names(c.connections) }

// Warnings lists what is valid but not fit for production. Open and Manager also log it to Options.Logger, or to
// [slog.Default] if there is none.
func (c *Config) Warnings() []string {
	var list []string
	add := func(when bool, what string) {
		if when {
			list = append(list, what)
		}
	}
	add(c.Store == storeMemory, "store: memory keeps sessions until this process ends, and no other process sees "+
		"them; use it for tests only")
	add(c.Options.Cookie.Insecure, "cookie.insecure: tickets travel over plain HTTP too; switch it off where people "+
		"sign in")
	add(c.allowShort, "secrets.insecure_short_key: a short key can be guessed, and whoever guesses it can sign in as "+
		"anybody")
	add(len(c.skips) > 0, "skip_headers: any client can send a header; have your proxy remove it from requests that "+
		"come from outside")
	add(c.file.noSync, "stores.file.no_sync: after a crash of the machine, sessions that had just ended may be back; "+
		"leave it out where logouts must hold")
	add(c.DeviceBound != nil && c.Options.Cookie.Insecure, "device_bound: browsers bind sessions over HTTPS "+
		"only; leave out cookie.insecure")
	add(c.Guard.SignIn.Attempts > mostFailures, "guard.sign_in.attempts: NIST SP 800-63B-4 allows 100 failures in a "+
		"row for one account; use 100 or less")
	add(c.logFormat == "" && slices.ContainsFunc(c.settings, func(s Setting) bool { return s.Key == "log.level" }),
		"log.level: it has no effect without log.format; add log.format: json, or set the level of the program's "+
			"own logger")
	list = append(list, c.exposed()...)
	add(len(c.foreign) > 0, series(c.foreign)+": ignored, because there is no such key; docs/configuration.md lists "+
		"the names")
	return list
}

// warn logs the warnings.
func (c *Config) warn(ctx context.Context, log *slog.Logger) {
	c.warned = true
	for _, warning := range c.Warnings() {
		log.WarnContext(ctx, "session: "+warning)
	}
}

// Format prints none of the values, because secrets are among them.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "session configuration (store %s)", c.Store)
}

// LogValue logs none of the values, because secrets are among them.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// MarshalText encodes none of the values, because secrets are among them.
func (c Config) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(c)), nil }

// connect returns the connection of a name, made when it is new.
func (c *Config) connect(name string) *connection {
	if c.connections == nil {
		c.connections = map[string]*connection{}
	}
	if c.connections[name] == nil {
		c.connections[name] = &connection{}
	}
	return c.connections[name]
}

// logger is where the key log.format sends messages, nil where nothing says it.
func (c *Config) logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.logLevel}
	switch c.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts))
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts))
	case "none":
		return slog.New(slog.DiscardHandler)
	}
	return nil
}

// log is where to say what nobody asked for.
func (c *Config) log() *slog.Logger { return cmp.Or(c.Options.Logger, slog.Default()) }
