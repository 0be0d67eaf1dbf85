package sessionconfig_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// own is a store of somebody else.
type own struct {
	session.Store
	closed int
}

func (o *own) Close() error { o.closed++; return nil }

var registerOnce sync.Once

// An own store has a name, gets what stands below it, and is closed.
func TestAStoreOfOnesOwn(t *testing.T) {
	var got map[string]any
	var made *own
	registerOnce.Do(func() {
		err := sessionconfig.Register("mine", func(_ context.Context, settings map[string]any) (session.Store, error) {
			got = settings
			if settings["broken"] != nil {
				return nil, errors.New("it is broken")
			}
			made = &own{Store: memstore.New(memstore.Options{})}
			return made, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Setenv("SESSION_STORES__MINE__NODES__FIRST", "a.example")
	content := "store: mine\nstores: {mine: {nodes: {first: b.example, second: c.example}, size: 3}}"
	cfg := load(t, yaml(t, content))
	m, closer, err := cfg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	(&site{Manager: m}).first(t)
	if err := errors.Join(closer.Close(), closer.Close()); err != nil || made.closed != 1 {
		t.Errorf("Close twice gives %v, and closed the store %d times", err, made.closed)
	}
	nodes, _ := got["nodes"].(map[string]any)
	if nodes["first"] != "a.example" || nodes["second"] != "c.example" || got["size"] == nil {
		t.Errorf("the settings are %v", got)
	}
	if cfg := load(t, yaml(t, "preset: nexios\nbackend: mine")); cfg.Store != "mine" {
		t.Errorf("backend gives the store %s", cfg.Store)
	}
	_, _, err = load(t, yaml(t, "store: mine\nstores: {mine: {broken: true}}")).Open(t.Context())
	if err == nil || !strings.Contains(err.Error(), "it is broken") {
		t.Errorf("a store that does not open gives %v", err)
	}
	wants(t, refused(t, "store: mien"), "did you mean mine?")
	wants(t, refused(t, "store: mine\nstores: {mine: 3}"), "stores.mine", "a group of keys")
}

func TestNamesThatCannotBeRegistered(t *testing.T) {
	open := func(context.Context, map[string]any) (session.Store, error) {
		return memstore.New(memstore.Options{}), nil
	}
	for _, name := range []string{"", "Mine", "a.b", "database", "dict", "null"} {
		if sessionconfig.Register(name, open) == nil {
			t.Errorf("%q was registered", name)
		}
	}
	if sessionconfig.Register("nothing", nil) == nil || sessionconfig.RegisterCodec("nothing", nil) == nil {
		t.Error("nil was registered")
	}
	if sessionconfig.RegisterCodec("json", codec{}) == nil {
		t.Error("json was registered as a codec")
	}
}

// codec stands for one of somebody else.
type codec struct{ session.Codec }

func TestACodecOfOnesOwn(t *testing.T) {
	if err := sessionconfig.RegisterCodec("test-codec", codec{}); err != nil {
		t.Fatal(err)
	}
	if sessionconfig.RegisterCodec("test-codec", codec{}) == nil {
		t.Error("it was registered twice")
	}
	if _, ok := load(t, yaml(t, "store: memory\ncodec: test-codec")).Options.Codec.(codec); !ok {
		t.Error("it is not used")
	}
	wants(t, refused(t, "codec: test-code"), "did you mean test-codec?")
}
