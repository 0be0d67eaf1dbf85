package sessionconfig

import (
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
)

const (
	envPrefix   = "SESSION_"
	environment = "environment" // the source of its keys
)

// readEnvironment returns the keys that the environment sets, and the secrets in SESSION_SECRETS. A tree cannot hold a
// value and keys below it, such as SESSION_STORE and SESSION_STORE__TABLE: those below are in another tree, so that
// neither hides the other.
func readEnvironment(environ []string) (trees []map[string]any, secrets string) {
	values := map[string]string{} // by their keys
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case value == "" || foreign(name, value):
		case name == "SESSION_SECRETS":
			secrets = value
		case name == envSecretKey:
			values[name] = value
		case strings.HasPrefix(name, envPrefix):
			values[strings.ReplaceAll(strings.ToLower(name[len(envPrefix):]), "__", ".")] = value
		}
	}
	for len(values) > 0 {
		var top []string
		below := map[string]string{}
		for key, value := range values {
			if isBelow(key, values) {
				below[key] = value
				continue
			}
			top = append(top, key+"="+value)
		}
		tree, _ := env.Provider(".", env.Opt{EnvironFunc: func() []string { return top }}).Read() // it has no errors
		trees, values = append(trees, tree), below
	}
	return trees, secrets
}

// isBelow reports whether something above a key has a value.
func isBelow(key string, values map[string]string) bool {
	for i, c := range key {
		if _, above := values[key[:i]]; c == '.' && above {
			return true
		}
	}
	return false
}

// envSecretKey stands for the variable SECRET_KEY, which only the preset nexios reads.
const envSecretKey = "SECRET_KEY"

func envName(at []string) string {
	if len(at) == 1 && at[0] == envSecretKey {
		return envSecretKey
	}
	return envPrefix + strings.ToUpper(strings.Join(at, "__"))
}
