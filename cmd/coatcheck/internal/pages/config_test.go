package pages_test

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/coatcheck/session/sessionconfig"
)

// otherFile is the first line of a block that is no configuration of sessions, such as one of Kubernetes.
var otherFile = regexp.MustCompile(`^# ([\w./-]+)\n`)

// load reads a block as what it is: a configuration of sessions, some other YAML, or JSON.
func load(t *testing.T, b block) error {
	t.Helper()
	if b.lang == "json" {
		if !json.Valid([]byte(b.text)) {
			return errors.New("this is no JSON")
		}
		return nil
	}
	if name := otherFile.FindStringSubmatch(b.text); name != nil && !strings.HasPrefix(name[1], "session.") {
		return parseYAML(b.text)
	}
	file := filepath.Join(t.TempDir(), "session."+b.lang)
	write(t, file, b.text)
	_, err := sessionconfig.Load(file)
	return err
}

// parseYAML reads every document of a file.
func parseYAML(text string) error {
	for dec := yaml.NewDecoder(strings.NewReader(text)); ; {
		var document map[string]any
		switch err := dec.Decode(&document); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(document) == 0:
			return errors.New("a document is empty")
		}
	}
}

func TestTheConfigurationsOfThePagesLoad(t *testing.T) {
	for _, b := range allBlocks(t, "yaml", "toml", "json") {
		if err := load(t, b); err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
		}
	}
}

func TestAConfigurationThatIsWrongIsFound(t *testing.T) {
	for _, b := range []block{
		{lang: "yaml", text: "cookie: {nmae: a}\n"},
		{lang: "yaml", text: "# session.yaml\nidle_timeout: soon\n"},
		{lang: "toml", text: "idle_timeout = 30\n"},
		{lang: "json", text: "{\"a\": }\n"},
		{lang: "yaml", text: "# compose.yaml\nservices: [\n"},
		{lang: "yaml", text: "# compose.yaml\n---\n{}\n"},
	} {
		if err := load(t, b); err == nil {
			t.Errorf("%s loads, want an error: %s", b.lang, b.text)
		}
	}
}
