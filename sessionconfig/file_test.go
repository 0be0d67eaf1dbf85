package sessionconfig_test

import (
	"strings"
	"testing"

	"github.com/coatcheck/session/sessionconfig"
)

// What stands behind the first document would not be read, and nobody would know.
func TestAFileOfSeveralDocumentsIsRefused(t *testing.T) {
	for _, content := range []string{
		"store: memory\n---\nseal: true\n",
		"---\nstore: memory\n---\nseal: true\n",
		"store: memory\n...\n---\nseal: true\n",
		"store: memory\n---\nseal: [\n",
	} {
		wants(t, refused(t, content), "session.yaml: it has several documents")
	}
	for _, content := range []string{"---\nstore: memory\n", "store: memory\n...\n", "# a\n---\nstore: memory # b\n"} {
		if cfg := load(t, yaml(t, content)); cfg.Store != "memory" {
			t.Errorf("%q gives the store %q", content, cfg.Store)
		}
	}
}

func TestAByteOrderMarkIsNoPartOfAFile(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	for name, content := range map[string]string{"session.yaml": "store: memory\n",
		"session.toml": "store = 'memory'\n", "session.json": `{"store": "memory"}`} {
		if cfg := load(t, file(t, name, mark+content)); cfg.Store != "memory" {
			t.Errorf("%s gives the store %q", name, cfg.Store)
		}
	}
	cfg := unsealed(t, "store: memory\nsecrets: {file: secret.txt}")
	write(t, "secret.txt", mark+secret+"\r\n", 0o600)
	if secrets, err := cfg.Secrets(t.Context()); err != nil || len(secrets) != 1 {
		t.Errorf("the file of secrets gives %d, %v", len(secrets), err)
	}
}

func TestAKeyThatStandsInAFileTwiceIsRefused(t *testing.T) {
	for name, contents := range map[string][]string{
		"session.json": {
			`{"cookie": {"name": "a"}, "store": "memory", "cookie": {"path": "/"}}`,
			`{"store": "memory", "cookie": {"name": "a", "path": "/", "name": "b"}}`,
			`{"store": "memory", "skip": [{"cookie": 1}, {"cookie": {}, "cookie": {}}]}`,
			`{"store": "memory", "cook\u0069e": {}, "cookie": {}}`,
		},
		"session.yaml": {"cookie: {name: a}\nstore: memory\ncookie: {path: /}\n"},
		"session.toml": {"cookie = {name = 'a'}\nstore = 'memory'\ncookie = {path = '/'}\n"},
	} {
		for _, content := range contents {
			_, err := sessionconfig.Load(file(t, name, content))
			if err == nil || !strings.Contains(err.Error(), "cookie") {
				t.Errorf("%s: %s gives %v, want an error that names the key", name, content, err)
			}
		}
	}
	const once = `{"cookie": {"name": "a", "path": "/"}, "skip": [[], {}, [{}]], "guard": {"name": 1}}`
	_, err := sessionconfig.Load(file(t, "session.json", once))
	if err == nil || strings.Contains(err.Error(), "twice") {
		t.Errorf("keys of the same name in several groups give %v", err)
	}
}
