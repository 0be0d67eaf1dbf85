package session_test

import (
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
)

// evicter is a store with a bound that does not say so by name.
type evicter struct {
	session.Store
	session.Evicter
}

// discarding is a store of somebody who knew Discards only.
type discarding struct {
	session.Store
	discards bool
}

func (d discarding) Discards() bool { return d.discards }

func TestAStoreThatMayForgetSaysWhy(t *testing.T) {
	bounded := memstore.New(memstore.Options{MaxSessions: 1})
	cookies, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		store session.Store
		why   string
	}{
		"nil":                        {nil, "is nil"},
		"a nil pointer":              {(*memstore.Store)(nil), "is nil"},
		"memstore with a bound":      {bounded, "MaxSessions"},
		"one around it":              {struct{ *memstore.Store }{bounded}, "MaxSessions"},
		"an evicter":                 {evicter{bounded, bounded}, "bound"},
		"nullstore":                  {nullstore.New(), "keeps nothing"},
		"one that discards":          {discarding{bounded, true}, "keeps nothing"},
		"cookiestore without a list": {cookies, "Revocations"},
	} {
		if got := session.Forgets(tt.store); !strings.Contains(got, tt.why) {
			t.Errorf("%s: Forgets = %q, want it to name %q", name, got, tt.why)
		}
	}
}

func TestAStoreThatKeepsEveryRecordIsBelieved(t *testing.T) {
	free := memstore.New(memstore.Options{})
	cookies, err := cookiestore.New(cookiestore.Options{Revocations: free})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filestore.New(t.TempDir(), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]session.Store{
		"memstore": free, "a negative bound": memstore.New(memstore.Options{MaxSessions: -1}), "filestore": files,
		"cookiestore with a list": cookies, "one that does not discard": discarding{free, false},
	} {
		if got := session.Forgets(store); got != "" {
			t.Errorf("%s: Forgets = %q, want nothing", name, got)
		}
	}
}
