package redisstore

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Options say where the records are and whether they are cached. The zero value is good.
type Options struct {
	// Prefix begins every key of the store, and separates it from anything else on the server: another store, another
	// program. At most 128 bytes of UTF-8 without braces and control characters. "": "session:".
	Prefix string

	// CacheTTL is how long a loaded record may be used again from the memory of this process, with the client's
	// server-assisted caching, so that most loads cost no round trip. 0: no caching. The package comment says which old
	// state may then be read, and how much memory that takes.
	CacheTTL time.Duration
}

const (
	defaultPrefix = "session:"
	maxPrefix     = 128
)

// resolve returns the prefix that the options mean.
func (o Options) resolve() (string, error) {
	if o.CacheTTL < 0 {
		return "", errors.New("redisstore: Options.CacheTTL is negative")
	}
	if o.CacheTTL > 0 && o.CacheTTL < time.Millisecond {
		return "", errors.New("redisstore: Options.CacheTTL is below a millisecond, the least that the client's " +
			"cache knows")
	}
	switch {
	case o.Prefix == "":
		return defaultPrefix, nil
	case len(o.Prefix) > maxPrefix:
		return "", fmt.Errorf("redisstore: Options.Prefix has %d bytes, at most %d are allowed", len(o.Prefix),
			maxPrefix)
	case !utf8.ValidString(o.Prefix):
		return "", fmt.Errorf("redisstore: Options.Prefix %q is not UTF-8", o.Prefix)
	case strings.ContainsAny(o.Prefix, "{}"):
		// A brace would decide in which slot of a cluster a key lies.
		return "", fmt.Errorf("redisstore: Options.Prefix %q has a brace", o.Prefix)
	case strings.ContainsFunc(o.Prefix, unicode.IsControl):
		return "", fmt.Errorf("redisstore: Options.Prefix %q has a control character", o.Prefix)
	}
	return o.Prefix, nil
}
