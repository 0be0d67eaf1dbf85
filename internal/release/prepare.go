package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// prepare writes a version into the tree: the changelog first, for the root's hash covers it, then go.work, and then
// go.mod and go.sum of each module with the hashes that the tag of this tree will have. Done twice it changes nothing
// more.
func (t *tree) prepare(version string, now time.Time) (err error) {
	if err := t.releasable(version); err != nil {
		return err
	}
	out, err := os.MkdirTemp("", "coatcheck-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(out)) }()
	// Once before anything is written: what cannot be made leaves the tree as it was.
	if err := t.stage(filepath.Join(out, "before"), version); err != nil {
		return err
	}
	if err := t.announce(version, now); err != nil {
		return err
	}
	if err := t.stage(out, version); err != nil {
		return err
	}
	return t.take(filepath.Join(out, "mod"))
}

// announce writes a version into CHANGELOG.md and go.work.
func (t *tree) announce(version string, now time.Time) error {
	required, err := t.required()
	if err != nil {
		return err
	}
	err = rewrite(t.on("CHANGELOG.md"), func(text string) (string, error) { return released(text, version, now) })
	if err != nil {
		return err
	}
	return rewrite(t.on("go.work"), func(text string) (string, error) {
		return strings.ReplaceAll(text, " "+required+" => ", " "+version+" => "), nil
	})
}

// releasable says why a version cannot be released from the tree as it is.
func (t *tree) releasable(version string) error {
	if semver.Canonical(version) != version || semver.Build(version) != "" {
		return fmt.Errorf("VERSION is %q: let it be one such as v0.1.0", version)
	}
	status, err := git(t.root, "status", "--porcelain")
	if err != nil {
		return err
	}
	if status != "" {
		return fmt.Errorf("the work tree has changes, commit or remove them first:\n%s", status)
	}
	tags, err := git(t.root, "tag", "--list", "v*")
	if err != nil {
		return err
	}
	for tag := range strings.FieldsSeq(tags) {
		if semver.Compare(tag, version) >= 0 {
			return fmt.Errorf("VERSION is %s, and %s is tagged: take a higher one, a version never changes", version,
				tag)
		}
	}
	return nil
}

// rewrite changes a file of the tree.
func rewrite(name string, change func(string) (string, error)) error {
	before, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	after, err := change(string(before))
	if err != nil || after == string(before) {
		return err
	}
	return os.WriteFile(name, []byte(after), 0o644)
}

// take copies go.mod and go.sum of each module into the tree.
func (t *tree) take(mods string) error {
	for _, m := range t.modules {
		for _, name := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(mods, filepath.FromSlash(m.dir), name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := os.WriteFile(t.on(m.dir, name), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// released moves what CHANGELOG.md says of the next version under the heading of this one.
func released(changelog, version string, now time.Time) (string, error) {
	const unreleased = "## [Unreleased]\n"
	heading := "## [" + strings.TrimPrefix(version, "v") + "]"
	before, after, found := strings.Cut(changelog, unreleased)
	if !found {
		return "", errors.New("CHANGELOG.md has no heading " + strings.TrimSpace(unreleased))
	}
	next, _, _ := strings.Cut(after, "\n## ")
	entries := strings.Contains(next, "\n- ")
	switch there := strings.Contains(changelog, heading); {
	case there && entries:
		return "", fmt.Errorf("CHANGELOG.md has %s, and more under Unreleased: move that, or take another VERSION",
			heading)
	case there:
		return changelog, nil
	case !entries:
		return "", errors.New("CHANGELOG.md says nothing under Unreleased: write down what changes for users")
	}
	return before + unreleased + "\n" + heading + " - " + now.UTC().Format(time.DateOnly) + "\n" + after, nil
}

// tags returns the tags of a version, those first that the others require.
func (t *tree) tags(version string) []string {
	var tags []string
	for _, m := range t.modules {
		if !m.released() {
			continue
		}
		if m.dir == "." {
			tags = append(tags, version)
			continue
		}
		tags = append(tags, m.dir+"/"+version)
	}
	return tags
}
