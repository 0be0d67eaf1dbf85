// Package sessionconfig makes a session manager from configuration files and the environment:
//
//	cfg, err := sessionconfig.Load("session.yaml")
//	…
//	sessions, closer, err := cfg.Open(ctx)
//	…
//	defer closer.Close()
//
// A file is YAML, TOML or JSON, by the end of its name. Later files win over earlier ones, and the environment wins
// over all files: SESSION_COOKIE__NAME is the key cookie.name, with two underscores between the levels. An empty
// variable counts as not set. Every option of [session.Options] has a key, but for those that are Go functions: set
// these in [Config.Options] between Load and Open. docs/configuration.md lists all keys, and what the presets make of
// the configurations of other frameworks.
//
// An unknown key and a wrong value are errors of [Load], all of them at once, that say where they stand, what was found
// and what is allowed. A secret never stands in a file of this package's own keys: the keys below secrets name a
// variable, a file or a command that gives it, and SESSION_SECRETS holds it.
//
// The package links the drivers of all stores: SQLite, PostgreSQL, MySQL and Redis. A program that wants one of them
// only calls session.New itself.
package sessionconfig
