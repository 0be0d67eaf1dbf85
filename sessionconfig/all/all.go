// Package all lets a configuration name every store that there is, for tools that work with whatever a site uses. A
// site imports the package of its own server, and links no other driver.
package all

import (
	_ "github.com/coatcheck/session/sessionconfig/mysql"    // MySQL and MariaDB
	_ "github.com/coatcheck/session/sessionconfig/postgres" // PostgreSQL
	_ "github.com/coatcheck/session/sessionconfig/redis"    // Redis and Valkey
	_ "github.com/coatcheck/session/sessionconfig/sqlite"   // SQLite
)
