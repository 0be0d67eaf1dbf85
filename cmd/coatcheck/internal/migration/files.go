package migration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/coatcheck/session/cmd/coatcheck/internal/newfile"
	"github.com/coatcheck/session/sqlstore"
)

// The formats of files.
const (
	Goose   = "goose"
	Migrate = "golang-migrate"
)

// Files says which files Write makes.
type Files struct {
	Dir    string
	Format string // Goose or Migrate
	Schema sqlstore.Options
	Now    time.Time
}

// Write makes the files of the migration, and returns their names. It overwrites nothing, and makes no second migration
// for one table.
func Write(f Files) ([]string, error) {
	up, down, err := sqlstore.Schema(f.Schema)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return nil, err
	}
	table := f.Schema.Table
	if table == "" {
		table = "sessions"
	}
	subject := "create_" + table + "_table"
	number, err := nextNumber(f.Dir, subject, f.Now)
	if err != nil {
		return nil, err
	}
	base := filepath.Join(f.Dir, number+"_"+subject)
	if f.Format == Goose {
		return create(file{base + ".sql", "-- +goose Up\n" + up + "\n-- +goose Down\n" + down})
	}
	return create(file{base + ".up.sql", up}, file{base + ".down.sql", down})
}

var numbered = regexp.MustCompile(`\A([0-9]+)_(.+?)(\.up|\.down)?\.(sql|go)\z`)

// nextNumber continues the numbers of the folder: 00007 after 00006, otherwise the time, as both tools do.
func nextNumber(dir, subject string, now time.Time) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	last, width := uint64(0), 0
	for _, e := range entries {
		m := numbered.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		if m[2] == subject {
			return "", fmt.Errorf("%s already exists, so nothing was written; move it away, or choose another "+
				"--dir or --table", filepath.Join(dir, e.Name()))
		}
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err == nil && n >= last {
			last, width = n, len(m[1])
		}
	}
	if width == 0 || width >= len("20060102150405") {
		return now.UTC().Format("20060102150405"), nil
	}
	return fmt.Sprintf("%0*d", width, last+1), nil
}

type file struct{ path, text string }

// create writes all files, or none.
func create(files ...file) ([]string, error) {
	var made []string
	for _, f := range files {
		err := newfile.Write(f.path, f.text, 0o644)
		if err == nil {
			made = append(made, f.path)
			continue
		}
		for _, path := range made {
			err = errors.Join(err, os.Remove(path))
		}
		return nil, err
	}
	return made, nil
}
