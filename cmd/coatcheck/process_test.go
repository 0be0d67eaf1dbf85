//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// process is a running demo.
type process struct {
	cmd *exec.Cmd
	url string
	err *strings.Builder
}

func startDemo(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	t.Cleanup(cancel)
	p := &process{cmd: exec.CommandContext(ctx, underTest, append([]string{"demo", "--addr", "127.0.0.1:0"},
		args...)...), err: new(strings.Builder)}
	p.cmd.Dir = t.TempDir()
	p.cmd.Stderr = p.err
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	p.url = regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	if p.url == "" {
		t.Fatalf("the first line is %q, %v, want where it listens; %s", line, err, p.err)
	}
	return p
}

// stop sends the signal and waits for a good end; the context of the process is the deadline.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after %v the process ended with %v, want 0; it said %q", signal, err, p.err)
	}
}

type state struct {
	Visits int
	User   string
	Notes  []string
}

func ask(t *testing.T, client *http.Client, method, address, body string) state {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var s state
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s answered %d: %v", method, address, resp.StatusCode, err)
	}
	return s
}

func TestASignalStopsTheDemoAndNothingIsLost(t *testing.T) {
	for _, store := range []string{"sqlite", "file"} {
		for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(store+" "+signal.String(), func(t *testing.T) {
				t.Parallel()
				jar, _ := cookiejar.New(nil)
				client := &http.Client{Jar: jar}
				dir := filepath.Join(t.TempDir(), "data")
				p := startDemo(t, "--data", dir, "--store", store)
				ask(t, client, http.MethodPost, p.url+"/login", "user=ada")
				ask(t, client, http.MethodPost, p.url+"/notes", "text=milk")
				ask(t, client, http.MethodPost, p.url+"/visits", "")
				inFlight(t, p.url)
				p.stop(t, signal)

				p = startDemo(t, "--data", dir, "--store", store)
				if s := ask(t, client, http.MethodGet, p.url+"/", ""); s.User != "ada" || s.Visits != 1 ||
					len(s.Notes) != 1 {
					t.Errorf("after the restart the state is %+v, want ada, a visit and a note", s)
				}
				p.stop(t, signal)
			})
		}
	}
}

// inFlight begins a request that never ends, and waits until the server has begun to read its body.
func inFlight(t *testing.T, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST /notes HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", u.Host)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("the server says %q, %v, want 100 Continue", line, err)
	}
}

func TestTheMemoryStoreLeavesNoFiles(t *testing.T) {
	p := startDemo(t, "--store", "memory")
	ask(t, http.DefaultClient, http.MethodPost, p.url+"/visits", "")
	p.stop(t, os.Interrupt)
	if entries, err := os.ReadDir(p.cmd.Dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v, want nothing", entries, err)
	}
}

func TestTheCommandLineHelps(t *testing.T) {
	for _, row := range []struct {
		args, want string
		fails      bool
	}{
		{"", "Available Commands:", false},
		{"help demo", "--insecure-network", false},
		{"version", "coatcheck ", false},
		{"nonsense", `unknown command "nonsense"`, true},
		{"demo here", `"here"`, true},
		{"demo --store cards", "--store", true},
		{"demo --addr 0.0.0.0:0 --store memory", "--insecure-network", true},
	} {
		out, err := exec.CommandContext(t.Context(), underTest, strings.Fields(row.args)...).CombinedOutput()
		if (err != nil) != row.fails || !strings.Contains(string(out), row.want) {
			t.Errorf("coatcheck %s = %q, %v, want %q in it", row.args, out, err, row.want)
		}
	}
}
