package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// asks starts the program on the site, and asks it for a page twice: the session of the first answer is known in the
// second.
func (s *stranger) asks() error {
	cmd, err := s.command("site", s.program("program"))
	if err != nil {
		return err
	}
	in, err := cmd.StdinPipe() // its end ends the program
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = asksTwice(strings.TrimSpace(line))
	}
	return errors.Join(err, in.Close(), cmd.Wait())
}

func asksTwice(url string) error {
	first, cookies, err := ask(url, nil)
	if err != nil {
		return err
	}
	second, _, err := ask(url, cookies)
	if err != nil {
		return err
	}
	fmt.Printf("== %s answered %q, and then %q\n", url, first, second)
	if first != "visit 1\n" || second != "visit 2\n" {
		return errors.New("the program with every module did not keep the session")
	}
	return nil
}

func ask(url string, cookies []*http.Cookie) (string, []*http.Cookie, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", nil, err
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	client := &http.Client{Timeout: time.Minute} // so that a program that hangs is an error
	resp, err := client.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.Cookies(), err
}
