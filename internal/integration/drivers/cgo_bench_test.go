//go:build drivers && linux && cgo

package drivers_test

import _ "github.com/mattn/go-sqlite3"

func init() {
	linked = append(linked, struct{ module, driver, options string }{"mattn/go-sqlite3", "mattn",
		"?_busy_timeout=250&_synchronous=NORMAL"})
}
