// Command release makes modules of the work tree as a module proxy would serve them, and releases them.
//
//	release stage                into a new folder: a proxy of the tree, and a go.mod for each module by itself
//	release adopt FOLDER         what go mod tidy made of those go.mod, back into the tree
//	release try                  install everything as a stranger would, and print what was done
//	release prepare VERSION      write the version into every go.mod, go.sum, go.work and CHANGELOG.md
//	release verify VERSION       compare the hashes in go.sum with those of the commit
//	release tags VERSION         the tags of a release, in the order of dependence
//	release push VERSION         the branch and the tags to origin, all of them or none
//
// Run it from a folder within the repository; the scripts of internal/tools do.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("say stage, adopt FOLDER, try, or prepare, verify, tags or push with a VERSION")

func run(args []string) error {
	t, err := openTree()
	if err != nil {
		return err
	}
	switch command, rest := strings.Join(args[:min(1, len(args))], ""), args[min(1, len(args)):]; {
	case command == "stage" && len(rest) == 0:
		return printStage(t)
	case command == "adopt" && len(rest) == 1:
		return t.adopt(rest[0])
	case command == "try" && len(rest) == 0:
		return try(t)
	case command == "prepare" && len(rest) == 1:
		return t.prepare(rest[0], time.Now())
	case command == "verify" && len(rest) == 1:
		return t.verify(rest[0])
	case command == "tags" && len(rest) == 1:
		fmt.Println(strings.Join(t.tags(rest[0]), "\n"))
		return nil
	case command == "push" && len(rest) == 1:
		return t.push(rest[0])
	}
	return errUsage
}

// printStage stages the tree in a new folder, and prints the folder with slashes, as bash and GOFLAGS want it.
func printStage(t *tree) error {
	out, err := os.MkdirTemp("", "coatcheck-stage-")
	if err != nil {
		return err
	}
	version, err := t.unreleasedVersion()
	if err != nil {
		return err
	}
	if err := t.stage(out, version); err != nil {
		return errors.Join(err, os.RemoveAll(out))
	}
	fmt.Println(slashed(out))
	return nil
}
