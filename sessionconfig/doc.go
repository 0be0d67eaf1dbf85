// Package sessionconfig makes a session manager from configuration files and the environment:
//
//	cfg, err := sessionconfig.Load("session.yaml")
//	…
//	sessions, closer, err := cfg.Open(ctx)
//	…
//	defer closer.Close()
//
// A file is YAML, TOML or JSON; the end of its name says which. Later files win over earlier ones, and the environment
// wins over all files: SESSION_COOKIE__NAME is the key cookie.name, with two underscores between the levels. An empty
// variable counts as not set. Every option of [session.Options] has a key, except those that are Go functions: set
// these in [Config.Options] between Load and Open. docs/configuration.md lists all keys, and how the presets read the
// configurations of other frameworks.
//
// Unknown keys and wrong values are errors of [Load], which reports all of them at once: where each one is, what was
// found and what to write instead. No key of this package holds a secret: the keys under secrets name a variable, a
// file or a command that gives it, and SESSION_SECRETS may hold it.
//
// The stores memory, file, cookies and null need nothing else. For any other a program imports the package that brings
// its driver, as with database/sql, and links no other driver:
//
//	import _ "github.com/coatcheck/session/sessionconfig/sqlite" // or postgres, mysql, redis
//
// Opening a store whose driver is missing is an error that names this line. The package sessionconfig/all brings them
// all.
package sessionconfig
