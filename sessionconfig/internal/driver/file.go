package driver

import (
	"net/url"
	"strings"
)

// FileOf returns the file that a DSN of SQLite names, as the driver reads it: a path, or a URL that begins with file:,
// each with a ? before its parameters. Opening the DSN makes a file that is not there, if made. The path is "" for a
// database in memory, where something else than the system keeps the files, and where it may be the DSN of a server by
// mistake: a path is shown in errors, and a password must not be.
func FileOf(dsn string) (path string, made bool) {
	name, query, _ := strings.Cut(strings.TrimSpace(dsn), "?")
	parameters, err := url.ParseQuery(query)
	if err != nil || parameters.Has("vfs") || name == ":memory:" {
		return "", false
	}
	if !strings.HasPrefix(name, "file:") {
		if name == "" || strings.ContainsAny(name, "@=") || strings.Contains(name, "://") {
			return "", false
		}
		return name, true // SQLite gets no parameters
	}
	mode := parameters.Get("mode")
	path, err = pathOf(name)
	if err != nil || path == ":memory:" || mode == "memory" {
		return "", false
	}
	return path, path != "" && (mode == "" || mode == "rwc")
}

func pathOf(uri string) (string, error) {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Host != "" && u.Host != "localhost":
		return "", err
	case u.Opaque != "": // it is relative
		return url.PathUnescape(u.Opaque)
	}
	return u.Path, nil
}
