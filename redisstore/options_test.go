package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session/redisstore"
)

// noServer is a client that must not be used.
type noServer struct{ rueidis.Client }

func TestOptionsThatAreWrongAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts redisstore.Options
		want string // in the error; "": none
	}{
		{"nothing", redisstore.Options{}, ""},
		{"a prefix", redisstore.Options{Prefix: "été *[a]:"}, ""},
		{"the longest prefix", redisstore.Options{Prefix: strings.Repeat("p", 128)}, ""},
		{"a longer prefix", redisstore.Options{Prefix: strings.Repeat("p", 129)}, "Options.Prefix"},
		{"a brace", redisstore.Options{Prefix: "a{b"}, "Options.Prefix"},
		{"a closing brace", redisstore.Options{Prefix: "}"}, "Options.Prefix"},
		{"a line break", redisstore.Options{Prefix: "a\n"}, "Options.Prefix"},
		{"a zero byte", redisstore.Options{Prefix: "\x00"}, "Options.Prefix"},
		{"no UTF-8", redisstore.Options{Prefix: "a\xff"}, "Options.Prefix"},
		{"a cache", redisstore.Options{CacheTTL: time.Second}, ""},
		{"a negative cache", redisstore.Options{CacheTTL: -1}, "Options.CacheTTL"},
		{"a cache of a moment", redisstore.Options{CacheTTL: 1}, "Options.CacheTTL"},
	} {
		store, err := redisstore.New(noServer{}, tt.opts)
		switch {
		case tt.want == "" && (err != nil || store == nil):
			t.Errorf("%s: New = %v, want a store", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || store != nil):
			t.Errorf("%s: New = %v, %v, want an error that names %s", tt.name, store, err, tt.want)
		}
	}
	if _, err := redisstore.New(nil, redisstore.Options{}); err == nil {
		t.Error("New with a nil client = no error")
	}
}
