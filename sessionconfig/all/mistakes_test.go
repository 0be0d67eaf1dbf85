package all_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session/sessionconfig"
)

// Whoever tries again until a server answers would wait for ever for a configuration to become right.
func TestWhatIsWrongWithAConnectionIsAProblemOfTheConfiguration(t *testing.T) {
	for content, want := range map[string]string{
		"lifetime: 2h": "the key store is not set: choose database",
		"store: database\nconnections: {main: {driver: postgresql, dsn_env: NOBODY_SETS_THIS}}": "connections.main." +
			"dsn_env: the environment variable NOBODY_SETS_THIS is not set",
		"store: database\nconnections: {main: {driver: postgresql, dsn: 'postgres://[bad'}}": "connections.main: the " +
			"driver cannot read this dsn",
		"store: database\nconnections: {main: {driver: postgresql, pool: pgx, dsn: 'postgres://[bad'}}": "connec" +
			"tions.main: the driver cannot read this dsn",
		"store: redis\nconnections: {main: {driver: redis, dsn: 'redis://%zz'}}": "connections.main: the driver " +
			"cannot read this dsn",
		onSQLite + "stores: {database: {table: 'a;b'}}": "stores.database.table: ",
	} {
		_, _, err := load(t, content).OpenStore(t.Context())
		var p *sessionconfig.Problem
		if !errors.As(err, &p) || !strings.HasPrefix(err.Error(), "sessionconfig: "+want) {
			t.Errorf("%s gives %v, want a Problem with %q", content, err, want)
		}
	}
}

// A dsn is not what coatcheck key generate makes.
func TestAMissingDSNIsNotToBeMadeAsASecret(t *testing.T) {
	const content = "store: database\nconnections: {main: {driver: sqlite, dsn_file: absent.txt}}"
	_, _, err := load(t, content).OpenDatabase(t.Context())
	if err == nil || !strings.Contains(err.Error(), "connections.main.dsn_file: absent.txt: ") ||
		strings.Contains(err.Error(), "key generate") {
		t.Errorf("the error is %v, want one that names the key, and no command", err)
	}
}
