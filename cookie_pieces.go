package session

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxPieces is the most cookies that one session may fill, whatever the store says. Their numbers have one digit.
const maxPieces = 8

// A token that is too long for one cookie is cut into pieces. The first is in the cookie itself, after "<count>.", the others
// in cookies with the same name and ".1", ".2", … behind it. A token that fits is in the cookie as it is, and begins with no
// digit.

// pieceNames are the names of all cookies that the pieces of a session could be in.
func pieceNames(name string) []string {
	names := []string{name}
	for i := 1; i < maxPieces; i++ {
		names = append(names, name+"."+strconv.Itoa(i))
	}
	return names
}

// roomOne is what fits into one cookie, roomEach into each of several: the count in the first is as long as what is added to
// the names of the others.
func (t cookieTransport) roomOne() int  { return maxCookieSize - len(t.Cookie.Name) }
func (t cookieTransport) roomEach() int { return t.roomOne() - len(".1") }

// room is the longest token that the cookies hold.
func (t cookieTransport) room() int {
	if t.pieces == 1 {
		return t.roomOne()
	}
	return t.pieces * t.roomEach()
}

// cut cuts a token that does not fit into one cookie.
func (t cookieTransport) cut(token string) []string {
	var pieces []string
	for rest := token; rest != ""; {
		n := min(len(rest), t.roomEach())
		pieces, rest = append(pieces, rest[:n]), rest[n:]
	}
	pieces[0] = strconv.Itoa(len(pieces)) + "." + pieces[0]
	return pieces
}

// join puts the pieces together. The count is checked before anything is looked for.
func (t cookieTransport) join(first string, lines []string) (string, error) {
	if len(first) < 2 || first[0] < '0' || first[0] > '9' {
		return first, nil
	}
	count := int(first[0] - '0')
	if first[1] != '.' || count < 2 || count > t.pieces {
		return "", ErrMalformed
	}
	token := make([]byte, 0, len(first)+(count-1)*t.roomEach())
	token = append(token, first[2:]...)
	for i := 1; i < count; i++ {
		piece, n := findCookie(lines, t.names[i])
		if n != 1 || len(piece) > t.roomEach() {
			return "", ErrMalformed
		}
		token = append(token, piece...)
	}
	return string(token), nil
}

// tellClient gives the client its token, "" to forget the one it has, and removes what is left of a longer one.
func (m *Manager) tellClient(r *http.Request, h http.Header, token string, until time.Time) {
	t, ok := m.transport.(cookieTransport)
	if ok {
		t.forgetFormer(r, h)
	}
	if !ok || t.pieces == 0 {
		m.transport.Write(h, token, until, m.now())
		return
	}
	if len(token) <= t.roomOne() {
		t.put(h, t.names[0], token, until, m.now())
		t.clean(r, h, 1, token == "")
		return
	}
	pieces := t.cut(token)
	for i, piece := range pieces {
		t.put(h, t.names[i], piece, until, m.now())
	}
	t.clean(r, h, len(pieces), false)
}

// clean removes the cookies behind the first ones. Another response may have set some since this request was sent, so that at the
// end of a session it removes all.
func (t cookieTransport) clean(r *http.Request, h http.Header, used int, ended bool) {
	lines := r.Header["Cookie"]
	sent := slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, t.names[1][:len(t.names[1])-1]) })
	for i := used; i < maxPieces && (sent || ended); i++ {
		if _, n := findCookie(lines, t.names[i]); n > 0 || ended && i < t.pieces {
			t.put(h, t.names[i], "", time.Time{}, time.Time{})
		}
	}
}

// owns reports whether a cookie is, was, or may become, part of the session's.
func (m *Manager) owns(cookie string) bool {
	return slices.ContainsFunc(append([]string{m.opts.Cookie.Name}, m.formerNames...), func(own string) bool {
		number, ok := strings.CutPrefix(cookie, own+".")
		return cookie == own || ok && m.carried != nil && len(number) == 1
	})
}
