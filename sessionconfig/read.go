package sessionconfig

import (
	"bytes"
	jsontext "encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/knadh/koanf/parsers/json"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	yamldoc "go.yaml.in/yaml/v3"
)

// readFile parses a file by the end of its name.
func readFile(path string) (map[string]any, *Problem) {
	if path == "" {
		return nil, &Problem{Source: "sessionconfig", Want: "the path of a configuration file is empty; name a file"}
	}
	extension := strings.ToLower(filepath.Ext(path))
	parsers := map[string]koanf.Parser{".yaml": yaml.Parser(), ".yml": yaml.Parser(), ".toml": toml.Parser(),
		".json": json.Parser()}
	parser := parsers[extension]
	if parser == nil {
		return nil, &Problem{Source: path, Want: "the name must end in .yaml, .yml, .toml or .json"}
	}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Problem{Source: path, Want: "there is no such file; coatcheck init creates one"}
	case err != nil:
		return nil, &Problem{Source: path, Want: "cannot be read: " + cause(err).Error()}
	}
	if data = withoutMark(data); len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	k := koanf.New("\x00") // a name may have a dot in it
	if err := k.Load(rawbytes.Provider(data), parser); err != nil {
		return nil, &Problem{Source: path, Want: "not well-formed: " + cut(err.Error())}
	}
	if strings.HasPrefix(extension, ".y") && hasMore(data) {
		return nil, &Problem{Source: path, Want: "it has several documents, of which only the first would be read; " +
			"take out the line --- that begins the second"}
	}
	if extension == ".json" {
		if key, found := repeated(jsontext.NewDecoder(bytes.NewReader(data))); found {
			return nil, &Problem{Source: path, Key: key, Want: "it stands there twice, and only the last would be " +
				"read; take out one of them"}
		}
	}
	return k.Raw(), nil
}

// withoutMark leaves out the byte order mark, which editors on Windows put in front of a text.
func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) }

// hasMore reports whether another document follows the first one of a YAML file.
func hasMore(data []byte) bool {
	documents := yamldoc.NewDecoder(bytes.NewReader(data))
	var document any
	return documents.Decode(&document) == nil && !errors.Is(documents.Decode(&document), io.EOF)
}

// repeated finds a key that an object of a well-formed JSON document has twice. YAML and TOML are refused then by their
// parsers.
func repeated(d *jsontext.Decoder) (key string, found bool) {
	token, _ := d.Token()
	begin, nests := token.(jsontext.Delim)
	if !nests {
		return "", false
	}
	seen := map[string]bool{}
	for d.More() {
		name := ""
		if begin == '{' {
			token, _ := d.Token()
			name = token.(string)
			if seen[name] {
				return name, true
			}
			seen[name] = true
		}
		if key, found := repeated(d); found {
			return strings.TrimPrefix(name+"."+key, "."), true
		}
	}
	_, _ = d.Token() // the end
	return "", false
}

// cause leaves out the path or the program, which the message has already.
func cause(err error) error {
	var at *fs.PathError
	var of *exec.Error
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &of):
		return of.Err
	}
	return err
}
