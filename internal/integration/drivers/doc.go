// Package drivers measures the drivers for SQLite beside each other, with the statements of sqlstore and with raw ones.
// They are linked with the tag drivers only, because one of them takes a C compiler a minute, and two have the same
// name by default:
//
//	go test -C internal/integration -tags drivers -ldflags '-X github.com/mattn/go-sqlite3.driverName=mattn' \
//		-run '^$' -bench . ./drivers
package drivers
