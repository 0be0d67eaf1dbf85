package sessionconfig

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// source is where a text that nobody may read comes from: one of these.
type source struct {
	text    string
	raw     bool // the text is one key as it stands, not a list of them
	env     string
	file    string
	command []string
}

// ways says which are set, by the ends of their keys.
func (s source) ways() []string {
	var list []string
	for way, set := range map[string]bool{"text": s.text != "", "env": s.env != "", "file": s.file != "",
		"command": len(s.command) > 0} {
		if set {
			list = append(list, way)
		}
	}
	return list
}

// commandTimeout is how long a program may take that prints a secret. Options.SecretSource may take as long.
const commandTimeout = 30 * time.Second

// read returns the text. key names it in errors, which never contain the text, nor what a program printed.
func (s source) read(ctx context.Context, key string) (string, error) {
	switch {
	case s.env != "":
		text := os.Getenv(s.env)
		if text == "" {
			return "", wrong(key+"env", "the environment variable %s is not set", nameOr("that it names", s.env))
		}
		return text, nil
	case s.file != "":
		return readSecretFile(key+"file", s.file)
	case len(s.command) > 0:
		return run(ctx, key+"command", s.command)
	}
	return s.text, nil
}

// readSecretFile refuses what others on the machine can read.
func readSecretFile(key, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		hint := ""
		if key == "secrets.file" && errors.Is(err, fs.ErrNotExist) {
			hint = "; coatcheck key generate --file creates one"
		}
		return "", wrong(key, "%s: %s%s", nameOr("the file that it names", path), cause(err), hint)
	}
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return "", wrong(key, "%s is not a regular file", path)
	case open(mode):
		return "", wrong(key, "%s has mode %04o, and others can read or change it; run chmod 600 %s, and replace the "+
			"secret if somebody may have read it", path, mode.Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", wrong(key, "%s: %s", path, cause(err))
	}
	return string(withoutMark(text)), nil
}

// open reports whether others on the machine can read or change a file of this mode.
func open(mode fs.FileMode) bool { return runtime.GOOS != "windows" && mode.Perm()&0o027 != 0 }

// run starts a program without a shell. What it says on standard error goes to ours.
func run(ctx context.Context, key string, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = time.Second // for what it leaves behind, which may keep its output open
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		err = nil // the program itself has ended well, and said all that it had to say
	}
	if err != nil {
		if cause := ctx.Err(); cause != nil {
			err = cause
		}
		return "", fmt.Errorf("sessionconfig: %s: %s: %w", key, nameOr("the program that it names", command[0]),
			cause(err))
	}
	if len(strings.TrimSpace(string(out))) == 0 {
		return "", fmt.Errorf("sessionconfig: %s: %s printed nothing", key, command[0])
	}
	return string(out), nil
}

// Secrets reads the secrets, newest first. Its errors never contain one.
func (c *Config) Secrets(ctx context.Context) ([]session.Secret, error) {
	if len(c.secrets.ways()) == 0 {
		return nil, errors.New("sessionconfig: no secrets: set SESSION_SECRETS, or one of secrets.env, " +
			"secrets.file and secrets.command; coatcheck key generate prints one")
	}
	text, err := c.secrets.read(ctx, "secrets.")
	if err != nil {
		return nil, err
	}
	if c.secrets.raw && !strings.HasPrefix(text, "base64:") {
		return c.rawSecret(text)
	}
	secrets, err := session.ParseSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("sessionconfig: %s: %w", c.secretsFrom(), err)
	}
	return secrets, nil
}

// minSecret is what session.New asks for.
const minSecret = 32

// rawSecret takes the bytes of a secret_key as they are.
func (c *Config) rawSecret(text string) ([]session.Secret, error) {
	switch {
	case len(text) >= minSecret:
		return []session.Secret{session.Secret(text)}, nil
	case !c.allowShort:
		return nil, fmt.Errorf("sessionconfig: secret_key has %d bytes; at least %d random ones are needed: put "+
			"what coatcheck key generate prints into SESSION_SECRETS, which wins over it; to try something out, set "+
			"secrets.insecure_short_key", len(text), minSecret)
	}
	sum := sha256.Sum256([]byte("coatcheck insecure short key\x00" + text))
	return []session.Secret{sum[:]}, nil
}

// secretsFrom names the key that the secrets come from.
func (c *Config) secretsFrom() string {
	switch way := c.secrets.ways()[0]; {
	case way == "text" && c.secrets.raw:
		return "secret_key"
	case way == "text":
		return "SESSION_SECRETS"
	default:
		return "secrets." + way
	}
}

// SecretsFile returns the path of the file that holds the secrets, or "" if they come from elsewhere.
func (c *Config) SecretsFile() string { return c.secrets.file }

// checkSources refuses a text that is said to come from two places.
func (b *builder) checkSources() {
	if ways := b.cfg.secrets.ways(); len(ways) > 1 {
		b.refuse("the configuration", "secrets", "", "set one of secrets.env, secrets.file, secrets.command and "+
			"secret_key, not several")
	}
	for _, name := range b.cfg.Connections() {
		if ways := b.cfg.connections[name].dsn.ways(); len(ways) > 1 {
			b.refuse("the configuration", "connections."+name, "", "set one of dsn, dsn_env, dsn_file and "+
				"dsn_command, not several")
		}
	}
}
