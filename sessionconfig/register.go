package sessionconfig

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/coatcheck/session"
)

// The names of the stores of this repository.
const (
	storeDatabase = "database"
	storeFile     = "file"
	storeMemory   = "memory"
	storeCookies  = "cookies"
	storeRedis    = "redis"
	storeNull     = "null"
)

var storeNames = []string{storeDatabase, storeFile, storeMemory, storeCookies, storeRedis, storeNull}

// Opener opens a store. settings has what is under stores.NAME; values from the environment are text. The closer of
// [Config.Open] closes a store that is an io.Closer.
type Opener func(ctx context.Context, settings map[string]any) (session.Store, error)

// registry holds what programs added, as database/sql does with drivers.
var registry struct {
	sync.Mutex
	stores map[string]Opener
	codecs map[string]session.Codec
}

var ownName = regexp.MustCompile(`\A[a-z][a-z0-9_-]{0,62}\z`)

// Register gives a store a name for the key "store". Call it before Load. The name has lower-case letters, digits,
// hyphens and underscores, and must not be taken.
func Register(name string, open Opener) error {
	registry.Lock()
	defer registry.Unlock()
	if open == nil {
		return fmt.Errorf("sessionconfig: Register %q: the opener is nil", cut(name))
	}
	if err := free(name, registry.stores[name] != nil || slices.Contains(storeNames, name) ||
		name == "dict"); err != nil {
		return err
	}
	if registry.stores == nil {
		registry.stores = map[string]Opener{}
	}
	registry.stores[name] = open
	return nil
}

// RegisterCodec gives a codec a name for the key "codec", under the rules of [Register].
func RegisterCodec(name string, codec session.Codec) error {
	registry.Lock()
	defer registry.Unlock()
	if codec == nil {
		return fmt.Errorf("sessionconfig: RegisterCodec %q: the codec is nil", cut(name))
	}
	if err := free(name, registry.codecs[name] != nil || name == "json"); err != nil {
		return err
	}
	if registry.codecs == nil {
		registry.codecs = map[string]session.Codec{}
	}
	registry.codecs[name] = codec
	return nil
}

func free(name string, taken bool) error {
	switch {
	case !ownName.MatchString(name):
		return fmt.Errorf("sessionconfig: %q is not a valid name: use lower-case letters, digits, - and _", cut(name))
	case taken:
		return fmt.Errorf("sessionconfig: the name %q is taken", name)
	}
	return nil
}

func registered(name string) Opener {
	registry.Lock()
	defer registry.Unlock()
	return registry.stores[name]
}

// storeName reads the name of a store. dict is what Expanse calls memory.
func storeName(v any) (string, error) {
	s, err := text(v)
	if err != nil {
		return "", err
	}
	if s == "dict" {
		return storeMemory, nil
	}
	if slices.Contains(storeNames, s) || registered(s) != nil {
		return s, nil
	}
	registry.Lock()
	defer registry.Unlock()
	return "", errors.New(suggest(s, slices.Concat(storeNames, names(registry.stores))))
}

func codecNamed(v any) (session.Codec, error) {
	s, err := text(v)
	if err != nil || s == "json" {
		return nil, err
	}
	registry.Lock()
	defer registry.Unlock()
	if c := registry.codecs[s]; c != nil {
		return c, nil
	}
	return nil, errors.New(suggest(s, append(names(registry.codecs), "json")))
}
