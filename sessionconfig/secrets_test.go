package sessionconfig_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// unsealed loads without the secret that other tests have in the environment.
func unsealed(t *testing.T, content string) *sessionconfig.Config {
	t.Helper()
	cfg, err := sessionconfig.Load(yaml(t, content))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsComeFromAVariableAFileOrACommand(t *testing.T) {
	t.Setenv("SHOP_SECRETS", secret)
	sources := map[string]string{"env": "SHOP_SECRETS", "file": "secret.txt"}
	if _, err := exec.LookPath("cat"); err == nil {
		sources["command"] = "cat secret.txt"
	}
	for way, value := range sources {
		cfg := unsealed(t, "store: memory\nsecrets: {"+way+": "+value+"}")
		write(t, "secret.txt", secret+"\n", 0o600)
		secrets, err := cfg.Secrets(t.Context())
		if err != nil || len(secrets) != 1 {
			t.Errorf("secrets.%s gives %d, %v", way, len(secrets), err)
		}
		if _, closer, err := cfg.Open(t.Context()); err != nil {
			t.Errorf("secrets.%s: %v", way, err)
		} else {
			closer.Close()
		}
	}
}

func TestSecretsThatCannotBeReadAreExplained(t *testing.T) {
	for _, row := range []struct{ keys, want string }{
		{"env: NOBODY_SETS_THIS", "secrets.env: the environment variable NOBODY_SETS_THIS is not set"},
		{"file: absent.txt", "coatcheck key generate"},
		{"file: .", "not a regular file"},
		{"file: short.txt", "secrets.file: session: Secrets: number 1 has 6 bytes"},
		{"file: wrong.txt", `does not begin with "base64:"`},
		{"command: no-such-program-anywhere", "secrets.command: no-such-program-anywhere"},
		{"command: [cat, absent.txt]", "secrets.command: cat"},
		{"command: 'true'", "printed nothing"},
	} {
		cfg := unsealed(t, "store: memory\nsecrets: {"+row.keys+"}")
		write(t, "short.txt", "base64:Y2FuYXJ5", 0o600)
		write(t, "wrong.txt", "canary", 0o600)
		_, err := cfg.Secrets(t.Context())
		if err == nil || !strings.Contains(err.Error(), row.want) && runtime.GOOS != "windows" {
			t.Errorf("%s gives %v, want %q", row.keys, err, row.want)
		}
		if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2FuYXJ5")) {
			t.Errorf("%s: a secret is in %v", row.keys, err)
		}
	}
	wants(t, refused(t, "secrets: {env: A, file: b}"), "set one of secrets.env, secrets.file")
	wants(t, refused(t, "secrets: {env: 'A=B'}"), "the name of a variable")
	wants(t, refused(t, "secrets: {env: 'base64:A'}"), "secrets.env: a secret or DSN does not belong here; use the "+
		"name of a variable")
	unsealed(t, "secrets: {env: site.session-secret}") // which is one in Kubernetes
	wants(t, refused(t, "secrets: {command: []}"), "a program and its arguments")
}

// What openssl rand prints could be a name as well. Where it is none of anything, no error repeats it.
func TestASecretInThePlaceOfItsNameIsInNoError(t *testing.T) {
	for _, text := range []string{
		"canary0123456789abcdef0123456789abcdef0123456789",
		"canary-_23456789abcdefABCDEF0123456789abcdef",
		"canary/+23456789/bcdefABCDEF0123456789abcdef",
		"canary0123456789abcdefABCDEF0123",
	} {
		for _, keys := range []string{
			"secrets: {env: %q}", "secrets: {file: %q}", "secrets: {command: [%q]}", "secrets: {command: %q}",
			"store: database\nconnections: {main: {driver: sqlite, dsn_env: %q}}",
			"store: database\nconnections: {main: {driver: sqlite, dsn_file: %q}}",
			"store: database\nconnections: {main: {driver: sqlite, dsn_command: %q}}",
		} {
			content := fmt.Sprintf(keys, text)
			cfg, err := sessionconfig.Load(yaml(t, content))
			switch {
			case err != nil: // no variable has such a name
			case strings.HasPrefix(content, "store"):
				_, _, err = cfg.OpenDatabase(t.Context())
			default:
				_, err = cfg.Secrets(t.Context())
			}
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s gives %v, want an error without the secret", content, err)
			}
		}
	}
}

func TestASecretFileThatOthersCanReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o644: false, 0o660: false,
		0o602: false} {
		cfg := unsealed(t, "secrets: {file: secret.txt}")
		write(t, "secret.txt", secret, mode)
		_, err := cfg.Secrets(t.Context())
		if ok != (err == nil) {
			t.Errorf("mode %04o gives %v", mode, err)
		}
		if err != nil {
			wants(t, err.Error(), "chmod 600")
		}
	}
}

func TestALaterSourceOfSecretsReplacesAnEarlierOne(t *testing.T) {
	t.Setenv("SESSION_SECRETS__ENV", "SHOP_SECRETS")
	t.Setenv("SHOP_SECRETS", secret)
	cfg := unsealed(t, "store: memory\nsecrets: {file: absent.txt}")
	if _, err := cfg.Secrets(t.Context()); err != nil {
		t.Error(err)
	}
	if cfg.SecretsFile() != "" {
		t.Errorf("the file is still %s", cfg.SecretsFile())
	}
}

// Sessions are refused without a secret, and with one that is too short, unless somebody insists by name.
func TestASecretIsRequiredAndMustBeLong(t *testing.T) {
	_, _, err := unsealed(t, "store: memory").Open(t.Context())
	if err == nil {
		t.Fatal("it was opened without a secret")
	}
	wants(t, err.Error(), "no secrets", "coatcheck key generate")
	for _, name := range []string{"nexios-nested.yaml", "nexios-class.yaml", "authx.yaml"} {
		cfg, err := sessionconfig.Load(configOf(t, name))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = cfg.Open(t.Context())
		if err == nil {
			t.Fatalf("%s was opened with the secret of a document", name)
		}
		wants(t, err.Error(), "secret_key has 1", "at least 32", "SESSION_SECRETS", "secrets.insecure_short_key")
	}
	cfg := unsealed(t, "preset: authx\nsecret_key: my-secret-key\nsecrets: {insecure_short_key: true}")
	open(t, cfg).first(t)
	wants(t, strings.Join(cfg.Warnings(), "\n"), "secrets.insecure_short_key")
	open(t, unsealed(t, "preset: authx\nsecret_key: "+strings.Repeat("long enough and random? ", 2))).first(t)
	open(t, unsealed(t, "preset: authx\nsecret_key: "+secret)).first(t)
}

func TestReloadedSecretsNeedNoRestart(t *testing.T) {
	cfg := unsealed(t, "store: memory\nsecrets: {file: secret.txt, reload: true}")
	write(t, "secret.txt", secret, 0o600)
	synctest.Test(t, func(t *testing.T) {
		m, closer, err := cfg.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer closer.Close()
		s := &site{Manager: m}
		_, cookie := s.visit(t, nil, step)
		other := "base64:" + base64.StdEncoding.EncodeToString(session.NewSecret())
		write(t, "secret.txt", other+","+secret, 0o600)
		time.Sleep(6 * time.Minute)
		if n := s.count(t, cookie); n != 1 {
			t.Errorf("with the old secret behind a new one there are %d steps, want 1", n)
		}
		write(t, "secret.txt", other, 0o600)
		time.Sleep(2 * time.Minute)
		if n := s.count(t, cookie); n != 0 {
			t.Errorf("without the old secret its cookie has %d steps, want none", n)
		}
	})
}
