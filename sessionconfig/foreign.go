package sessionconfig

import (
	"regexp"
	"slices"
	"strings"
)

// ofService matches what Kubernetes puts into every pod of a namespace that has a Service called "session", or one
// whose name begins so. None of our keys ends like that, and those of somebody's own store have two underscores.
var ofService = regexp.MustCompile(
	`\ASESSION_(?:[A-Z0-9]+_)*(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|` +
		`PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)\z`)

// foreign reports whether a variable belongs to somebody else for certain.
func foreign(name, value string) bool {
	desktop := name == "SESSION_MANAGER" && strings.Contains(value, "/")
	return desktop || ofService.MatchString(name)
}

// variable handles one that is no key. Where a known one is near, that was meant, and to go on without it would be
// another configuration than somebody wrote. Any other is somebody else's, and must not keep a site from starting.
func (w *walker) variable(key string, v any) {
	at, hint := append([]string{key}, firstBelow(v)...), ""
	if _, grouped := v.(map[string]any); grouped {
		hint = nearVariable(key, groups())
	} else if hint = w.elsewhere(key); hint == "" {
		hint = nearVariable(key, w.variables())
	}
	if hint == "" {
		w.b.cfg.foreign = append(w.b.cfg.foreign, envName(at))
		return
	}
	w.b.refuse(environment, envName(at), "", strings.TrimRight("unknown key; "+hint, "; "))
}

// variables are the names that the environment may have, by how they look without the difference of one and two
// underscores.
func (w *walker) variables() map[string]string {
	known := groups()
	known["secrets"] = "SESSION_SECRETS"
	for _, e := range schema {
		if !strings.Contains(e.Name, "*") {
			known[strings.ReplaceAll(e.Name, ".", "_")] = envName(strings.Split(e.Name, "."))
		}
	}
	if w.b.preset != nil {
		for _, name := range w.b.preset.names() {
			known[name] = envName([]string{name})
		}
	}
	return known
}

// groups are the keys that have others below them.
func groups() map[string]string {
	known := map[string]string{}
	for _, key := range within(nil) {
		if _, _, group := find([]string{key}); group {
			known[key] = envName([]string{key}) + "__…"
		}
	}
	return known
}

// nearVariable is stricter than suggest: what has one letter in three of a name of ours can well be another program's.
func nearVariable(key string, known map[string]string) string {
	best, at := "", 1+len(key)/6
	for _, name := range names(known) {
		d := distance(key, name)
		if len(key) > 3 && strings.HasPrefix(name, key) || anagram(key, name) {
			d = 1
		}
		if d <= at && (best == "" || d < at) {
			best, at = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + known[best] + "? "
}

// anagram reports whether two names have the same letters, as when two of them were typed in the wrong order.
func anagram(a, b string) bool {
	return slices.Equal(slices.Sorted(slices.Values([]byte(a))), slices.Sorted(slices.Values([]byte(b))))
}

// series writes names for people: "a, b and c".
func series(list []string) string {
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
