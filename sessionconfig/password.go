package sessionconfig

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// exposed lists passwords and secrets in a configuration that others on the machine can read.
func (c *Config) exposed() []string {
	var list []string
	for _, s := range c.settings {
		info, err := os.Stat(s.From)
		if err != nil || !open(info.Mode()) || !c.isSecret(s.Key) {
			continue // most are from the environment, and no file
		}
		list = append(list, fmt.Sprintf("%s: it is a secret, and others can read %s, which has mode %04o; run "+
			"chmod 600 %s, or name a variable or a file "+
			"that holds it", strings.Replace(s.Key, "secrets.key", "secret_key", 1), s.From, info.Mode().Perm(),
			s.From))
	}
	return list
}

// isSecret reports whether the value of a key is one: a secret_key, or a dsn with a password.
func (c *Config) isSecret(key string) bool {
	name, isDSN := strings.CutSuffix(strings.TrimPrefix(key, "connections."), ".dsn")
	if !isDSN || c.connections[name] == nil {
		return key == secretKey.Name
	}
	return hasPassword(c.connections[name])
}

// inWords finds a password in the form "host=db user=shop password=…".
var inWords = regexp.MustCompile(`(?i)\bpassword\s*=`)

// inMySQL finds one in the form "user:password@tcp(host)/database". The last slash ends the address, and the last @
// before that ends the password.
var inMySQL = regexp.MustCompile(`\A[^:]*:.+@[^@]*/[^/]*\z`)

func hasPassword(conn *connection) bool {
	text := strings.TrimSpace(conn.dsn.text)
	if conn.driver == driverMySQL {
		return inMySQL.MatchString(text)
	}
	at, err := url.Parse(text)
	if err == nil && at.User != nil {
		if _, has := at.User.Password(); has {
			return true
		}
	}
	return inWords.MatchString(text)
}

// inPlace finds a secret or a DSN with a password where neither is wanted.
var inPlace = regexp.MustCompile(
	`(?i)\Abase64:|\A[a-z0-9+/]{43}=\z|://.*@|\A[^:/\\]{2,}:.*@|:[^/\\]*@|@\w*\(|\bpassword\s*=`)

// errInPlace refuses what somebody put where its name belongs. It could otherwise be shown as that name.
var errInPlace = errors.New("a secret or DSN does not belong here; ")

// mayBeSecret finds what openssl rand prints, for example. As the name of something it is good as well.
var mayBeSecret = regexp.MustCompile(`\A[A-Za-z0-9+=_-][A-Za-z0-9+/=_-]{31,}\z`)

// nameOr is how an error names what a key names, unless somebody may have put a secret there: otherwise.
func nameOr(otherwise, name string) string {
	if mayBeSecret.MatchString(name) {
		return otherwise
	}
	return name
}

// variable is the name of a variable. Those of Kubernetes may have dots and hyphens.
func variable(v any) (string, error) {
	s, err := path(v)
	if err == nil && !isVariable.MatchString(s) {
		err = errKind
	}
	return s, err
}

var isVariable = regexp.MustCompile(`\A[A-Za-z_.-][A-Za-z0-9_.-]*\z`)

func path(v any) (string, error) {
	s, err := text(v)
	switch {
	case err != nil || s == "" || strings.ContainsRune(s, 0):
		return s, errKind
	case inPlace.MatchString(s):
		return s, errInPlace
	}
	return s, nil
}

// hides reports whether a wrong value of a key is not to be shown, because it may be the secret that the key names.
func hides(key string) bool {
	return strings.HasPrefix(key, "secrets.") && !settled(key) || strings.Contains(key, ".dsn")
}
