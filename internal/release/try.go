package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// A stranger has a Go installation and no clone of this repository.
type stranger struct {
	home    string
	env     []string
	version string
}

// try does what a stranger does with the version that the modules require of each other, through a proxy of the tree
// and with an empty cache of modules. It prints each step.
func try(t *tree) error {
	version, err := t.required()
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "coatcheck-stranger-")
	if err != nil {
		return err
	}
	return errors.Join(tryIn(t, home, version), os.RemoveAll(home))
}

func tryIn(t *tree, home, version string) error {
	if err := t.stage(filepath.Join(home, "stage"), version); err != nil {
		return err
	}
	s := &stranger{home: home, version: version}
	if err := s.setEnv(); err != nil {
		return err
	}
	for _, step := range []func(*tree) error{s.installs, s.startsSites, s.getsEach, s.buildsAll, s.copiesReadme} {
		if err := step(t); err != nil {
			return err
		}
	}
	fmt.Printf("== a stranger can install and use %s\n", version)
	return nil
}

// setEnv makes the environment of the go command. Our modules come from the proxy of the tree, all others from this
// machine's cache, where go.sum has checked them, and what it lacks from the proxy that is configured here.
func (s *stranger) setEnv() error {
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return err
	}
	configured := strings.Split(strings.TrimSpace(string(out)), "\n")
	proxies := []string{fileURL(filepath.Join(s.home, "stage", "proxy")),
		fileURL(filepath.Join(strings.TrimSpace(configured[0]), "cache", "download")), strings.TrimSpace(configured[1])}
	s.env = append(os.Environ(), "GOWORK=off",
		"GOPROXY="+strings.Join(proxies, ","), "GOPRIVATE=", "GONOPROXY=none", "GOSUMDB=off",
		"GOMODCACHE="+filepath.Join(s.home, "modcache"), "GOBIN="+filepath.Join(s.home, "bin"),
		// Without the paths of the folder in what is built, the compiler's cache serves the next time too.
		"GOFLAGS=-trimpath -modcacherw -buildvcs=false")
	return nil
}

func fileURL(name string) string { return "file:///" + strings.TrimPrefix(slashed(name), "/") }

// in prints a command and runs it in a folder of the stranger's, which is made if it is not there.
func (s *stranger) in(folder, program string, args ...string) (string, error) {
	fmt.Printf("== %s$ %s %s\n", folder, filepath.Base(program), strings.Join(args, " "))
	cmd, err := s.command(folder, program, args...)
	if err != nil {
		return "", err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s in %s: %w\n%s", program, strings.Join(args, " "), folder, err, out)
	}
	return string(out), nil
}

func (s *stranger) command(folder, program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = filepath.Join(s.home, filepath.FromSlash(folder)), s.env
	return cmd, os.MkdirAll(cmd.Dir, 0o755)
}

// all runs go commands, each a line, in one folder.
func (s *stranger) all(folder string, commands ...string) error {
	for _, command := range commands {
		if _, err := s.in(folder, "go", strings.Fields(command)...); err != nil {
			return err
		}
	}
	return nil
}

func (s *stranger) program(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(s.home, "bin", name)
}

// installs the command, and makes a site with it.
func (s *stranger) installs(*tree) error {
	if err := s.all("empty", "install "+ours+"/cmd/coatcheck@"+s.version); err != nil {
		return err
	}
	for _, command := range []string{"init", "db migrate", "doctor", "session list"} {
		out, err := s.in("site", s.program("coatcheck"), strings.Fields(command)...)
		if err != nil {
			return err
		}
		fmt.Print(out)
	}
	return nil
}

// ofServers matches the hash of a client that a site on SQLite has no use for. That of a go.mod alone does no harm.
var ofServers = regexp.MustCompile(`(?m)^github\.com/(?:redis/rueidis|jackc/pgx/v5|go-sql-driver/mysql) v[^/\s]+ h1:`)

// startsSites makes the sites that the command writes, and does what it says is next.
func (s *stranger) startsSites(*tree) error {
	for _, router := range []string{"nethttp", "chi"} {
		folder := "new/" + router
		if _, err := s.in("new", s.program("coatcheck"), "new", router, "--router", router); err != nil {
			return err
		}
		if err := s.all(folder, "mod tidy", "vet ./...", "test ./..."); err != nil {
			return err
		}
		sums, err := os.ReadFile(filepath.Join(s.home, filepath.FromSlash(folder), "go.sum"))
		if err != nil {
			return err
		}
		if found := ofServers.Find(sums); found != nil {
			return fmt.Errorf("%s/go.sum: a site on SQLite has the hash of %s", folder, found)
		}
	}
	return nil
}

// getsEach gets each module alone, as the documents say, and builds all of its packages. With a version in place of
// latest, go get of a module below another one does not look for it once that other one is in the cache.
func (s *stranger) getsEach(t *tree) error {
	for _, m := range t.modules {
		if !m.released() {
			continue
		}
		folder := path.Join("alone", path.Base(m.path()))
		err := s.all(folder, "mod init example.test/alone", "get "+m.path()+"/...@latest", "build "+m.path()+"/...")
		if err != nil {
			return err
		}
	}
	return nil
}

// buildsAll builds a program that imports every module, starts it on the site that was made, and asks it for a page.
func (s *stranger) buildsAll(t *tree) error {
	source, err := os.ReadFile(t.on("internal/release/testdata/program/main.go"))
	if err != nil {
		return err
	}
	if err := s.write("program/main.go", source); err != nil {
		return err
	}
	if err := s.all("program", "mod init example.test/program"); err != nil {
		return err
	}
	for _, m := range t.modules {
		// A command is installed, not imported.
		if m.released() && !isWithin(m.dir, "cmd") {
			if err := s.all("program", "get "+m.path()+"@latest"); err != nil {
				return err
			}
		}
	}
	if err := s.all("program", "mod tidy", "build -o "+s.program("program")+" ."); err != nil {
		return err
	}
	return s.asks()
}

func (s *stranger) write(name string, text []byte) error {
	disk := filepath.Join(s.home, filepath.FromSlash(name))
	return errors.Join(os.MkdirAll(filepath.Dir(disk), 0o755), os.WriteFile(disk, text, 0o644))
}
