package sessionconfig_test

import (
	"strings"
	"testing"

	"github.com/coatcheck/session/sessionconfig"
)

func TestAPlaceIsWhereTheStoreWouldBeOpened(t *testing.T) {
	long := strings.Repeat("long/", 30)
	const keys = "connections:\n  main: {driver: sqlite, path: a.db}\n" +
		"  other: {driver: postgresql, dsn_command: [pass, dsn]}\n  queue: {driver: redis, dsn_env: QUEUE}\n" +
		"  loose: {driver: sqlite, dsn: 'file:b%20c.db?_pragma=synchronous(NORMAL)'}\n" +
		"  gone: {driver: sqlite, dsn: ':memory:'}\n"
	for _, row := range []struct {
		text, with string
		want       sessionconfig.Place
	}{
		{text: "store: memory\n", want: sessionconfig.Place{Store: "memory"}},
		{text: "store: file\nstores: {file: {path: " + long + "}}\n",
			want: sessionconfig.Place{Store: "file", Path: long, Key: "stores.file.path"}},
		{text: "store: file\nstores: {file: {path: kept}}\n", with: "file:" + long,
			want: sessionconfig.Place{Store: "file", Path: long}},
		{text: "store: database\nstores: {database: {connection: main, migrate: \"1\"}}\n",
			want: sessionconfig.Place{Store: "database", Path: "a.db", Key: "connections.main.path", Migrate: true}},
		{text: "store: database\nstores: {database: {connection: main}}\n", with: "database:other",
			want: sessionconfig.Place{Store: "database", Program: true}},
		{text: "store: database\nstores: {database: {connection: loose}}\n",
			want: sessionconfig.Place{Store: "database", Path: "b c.db", Key: "connections.loose.dsn"}},
		{text: "store: database\nstores: {database: {connection: gone}}\n",
			want: sessionconfig.Place{Store: "database"}},
		{text: "store: redis\n", want: sessionconfig.Place{Store: "redis"}},
		{text: "store: cookies\n", want: sessionconfig.Place{}},
		{text: "store: cookies\nstores: {cookies: {revocations: dict}}\n", want: sessionconfig.Place{Store: "memory"}},
		{text: "store: cookies\nstores: {cookies: {revocations: file}, file: {path: kept}}\n",
			want: sessionconfig.Place{Store: "file", Path: "kept", Key: "stores.file.path"}},
		{text: "store: cookies\nstores: {cookies: {revocations: database}, database: {connection: main}}\n",
			want: sessionconfig.Place{Store: "database", Path: "a.db", Key: "connections.main.path"}},
	} {
		cfg := load(t, yaml(t, row.text+keys))
		if row.with != "" {
			var err error
			if cfg, err = cfg.WithStore(row.with); err != nil {
				t.Fatal(err)
			}
		}
		if got := cfg.Place(); got != row.want {
			t.Errorf("%s%s: the place is %+v, want %+v", row.text, row.with, got, row.want)
		}
	}
	if got := (&sessionconfig.Config{}).Place(); got != (sessionconfig.Place{}) {
		t.Errorf("the place of nothing is %+v", got)
	}
}
