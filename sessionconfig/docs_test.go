package sessionconfig_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session/sessionconfig"
)

var update = flag.Bool("update", false, "write the tables of docs/configuration.md")

func keyTable() string {
	var b strings.Builder
	b.WriteString("| key | what it says | allowed | option |\n|---|---|---|---|\n")
	for _, k := range sessionconfig.Keys() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, cell(k.About), cell(k.Allowed), code(k.Option))
	}
	return b.String()
}

func presetTable() string {
	var b strings.Builder
	b.WriteString("| preset | its name | our key | note |\n|---|---|---|---|\n")
	for _, preset := range sessionconfig.Presets() {
		for _, k := range sessionconfig.PresetKeys(preset) {
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", preset, k.Name, code(k.Key), cell(k.About))
		}
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// replace puts a table between the marks of the page.
func replace(t *testing.T, page, mark, table string) string {
	t.Helper()
	before, rest, ok := strings.Cut(page, "<!-- "+mark+" -->\n")
	_, after, found := strings.Cut(rest, "<!-- end -->")
	if !ok || !found {
		t.Fatalf("docs/configuration.md has no place for %s", mark)
	}
	return before + "<!-- " + mark + " -->\n" + table + "<!-- end -->" + after
}

// The page maps every key to its option, and every name of the three presets to our key. go test -run Page -update
// writes it.
func TestThePageHasEveryKey(t *testing.T) {
	path := filepath.Join("..", "docs", "configuration.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := replace(t, string(text), "keys", keyTable())
	page = replace(t, page, "presets", presetTable())
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != string(text) {
		t.Error("docs/configuration.md is not what the keys are now: run go test -run Page -update in sessionconfig")
	}
}

// Every name that a document gives has a key of ours, or a note that says what becomes of it.
func TestEveryNameOfTheDocumentsIsMapped(t *testing.T) {
	documents := map[string][]string{
		"nexios": {"session_cookie_name", "session_cookie_secure", "session_cookie_httponly", "session_expiration_time",
			"session_permanent",
			"session_refresh_each_request", "session_manager", "backend", "session_dir", "secret_key",
			"session_cookie_domain",
			"session_cookie_path", "session_cookie_samesite", "session_cookie_partitioned"},
		"expanse": {"lifetime", "clear_with_browser"},
		"authx": {"secret_key", "store", "http_only", "secure", "max_age", "session_cookie", "session_object",
			"skip_session_header", "logger"},
	}
	for preset, list := range documents {
		known := map[string]bool{}
		for _, k := range sessionconfig.PresetKeys(preset) {
			known[k.Name] = k.Key != "" || k.About != ""
		}
		for _, name := range list {
			if !known[name] {
				t.Errorf("%s: %s has no key and no note", preset, name)
			}
		}
	}
}
