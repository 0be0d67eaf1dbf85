package browser_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// chromium is the program, whose absence is a failure.
var chromium = sync.OnceValues(func() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("chromium is not installed: make test installs it on Debian")
})

// program is the command coatcheck, built for the tests of this package.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "coatcheck-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "coatcheck")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", "..", "cmd", "coatcheck")
	build.Env = append(os.Environ(), "GOWORK=", // its own go.mod, in the workspace, compiled as .ci/run has done before
		"GOFLAGS=-buildvcs=false -trimpath", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build coatcheck: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// shop is a running demo.
type shop struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
}

// startShop starts the demo on a folder.
func startShop(t *testing.T, data string) *shop {
	t.Helper()
	s := &shop{t: t, cmd: exec.Command(program, "demo", "--addr", "127.0.0.1:0", "--data", data)}
	s.cmd.Stderr = t.Output()
	s.cmd.SysProcAttr = endsWithUs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if s.url = regexp.MustCompile(`http://[0-9.:]+`).FindString(line); s.url == "" {
		t.Fatalf("the shop says %q, %v, want where it listens", line, err)
	}
	return s
}

// stop ends the demo, and waits for it.
func (s *shop) stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Error(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("the shop ended with %v", err)
	}
}
