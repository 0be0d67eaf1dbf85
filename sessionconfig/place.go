package sessionconfig

import "github.com/coatcheck/session/sessionconfig/internal/driver"

// Place is where a store keeps its records, for whoever has to know that before it is opened.
type Place struct {
	Store   string // the store; for cookies the one that remembers what was ended, "" for none
	Path    string // the folder, or the SQLite file; "" for a server, a DSN to be read first, and what is in no file
	Key     string // the key that names the path; "" if there is none
	Migrate bool   // Open creates the table, or brings it up to date
	Program bool   // a program prints the DSN
}

// Place returns where the store keeps its records, as Open would read the keys. It opens nothing.
func (c *Config) Place() Place {
	at := Place{Store: c.Store}
	if c.Store == storeCookies {
		at.Store = c.cookies.revocations
	}
	name := ""
	switch at.Store {
	case storeFile:
		at.Path = c.file.path
		if !c.file.given {
			at.Key = "stores.file.path"
		}
	case storeDatabase:
		name, at.Migrate = c.databaseConnection(), c.database.migrate
	case storeRedis:
		name = c.redisConnection()
	}
	conn := c.connections[name]
	if name == "" || conn == nil {
		return at
	}
	at.Program = len(conn.dsn.command) > 0
	switch {
	case conn.path != "":
		at.Path, at.Key = conn.path, "connections."+name+".path"
	case conn.driver == driverSQLite && conn.dsn.text != "":
		if at.Path, _ = driver.FileOf(conn.dsn.text); at.Path != "" {
			at.Key = "connections." + name + ".dsn"
		}
	}
	return at
}
