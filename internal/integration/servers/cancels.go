//go:build linux

package servers

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"
)

// withoutCancels listens, and hands each connection on to the address but those that ask to cancel a statement. A
// client that hangs up after such a request can end all of PgBouncer 1.18, which Debian 12 has, "in function
// disconnect_client(): bad client state: 0". That is mended in 1.20.1.
func withoutCancels(address string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	allMu.Lock()
	defer allMu.Unlock()
	held = append(held, l)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go handOn(client, address)
		}
	}()
	return l.Addr().String(), nil
}

// handOn copies both ways until one side ends.
func handOn(client net.Conn, address string) {
	defer client.Close()
	sent := bufio.NewReader(client)
	// A length and a code begin each connection: the version of the protocol, or what is wanted instead.
	const cancel = 1234<<16 | 5678
	begin, err := sent.Peek(8)
	if err != nil || binary.BigEndian.Uint32(begin[4:]) == cancel {
		return
	}
	// PgBouncer wants all of the first message at once.
	if _, err := sent.Peek(int(binary.BigEndian.Uint32(begin))); err != nil {
		return
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	var answers sync.WaitGroup
	answers.Go(func() {
		defer client.Close()
		_, _ = io.Copy(client, server)
	})
	_, _ = sent.WriteTo(server)
	server.Close()
	answers.Wait()
}
