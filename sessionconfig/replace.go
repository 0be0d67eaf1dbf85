package sessionconfig

import "strings"

// replace forgets where an earlier layer took a secret from, or how it reached a database, when a later one says it
// otherwise.
func (b *builder) replace(it item) {
	var same func(key string) bool
	var forget func()
	switch {
	case strings.HasPrefix(it.key, "secrets.") && !settled(it.key):
		same = func(key string) bool { return strings.HasPrefix(key, "secrets.") && !settled(key) }
		forget = func() { b.cfg.secrets = source{} }
	case reaches(it.key, "*"):
		conn := b.cfg.connect(it.star)
		same = func(key string) bool { return reaches(key, it.star) }
		forget = func() { conn.path, conn.dsn = "", source{} }
	default:
		return
	}
	for _, key := range names(b.from) {
		if same(key) && b.set[key] < it.layer {
			delete(b.from, key)
			delete(b.set, key)
			forget()
		}
	}
}

// reaches reports whether a key says how a connection reaches its database: a path, or one of the ways to a dsn.
func reaches(key, connection string) bool {
	rest, ok := strings.CutPrefix(key, "connections."+connection+".")
	return ok && (rest == "path" || strings.HasPrefix(rest, "dsn"))
}

// settled are the keys below secrets that say nothing of where they come from.
func settled(key string) bool { return key == "secrets.insecure_short_key" || key == "secrets.reload" }
