package session

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPieces is the most cookies that one session may fill, whatever the store says. Their numbers have one digit.
const maxPieces = 8

// A token that is too long for one cookie is cut into pieces. The first is in the cookie itself, after "<count>.", the others
// in cookies with the same name and ".1", ".2", … behind it. A token that fits is in the cookie as it is, and begins with no
// digit.

func (t cookieTransport) pieceName(i int) string {
	if i == 0 {
		return t.Cookie.Name
	}
	return t.Cookie.Name + "." + strconv.Itoa(i)
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

func (t cookieTransport) cut(token string) []string {
	if len(token) <= t.roomOne() {
		return []string{token}
	}
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
		piece, n := findCookie(lines, t.pieceName(i))
		if n != 1 || len(piece) > t.roomEach() {
			return "", ErrMalformed
		}
		token = append(token, piece...)
	}
	return string(token), nil
}

// tellClient gives the client its token, "" to forget the one it has, and removes the pieces of a longer one.
func (m *Manager) tellClient(r *http.Request, h http.Header, token string, until time.Time) {
	t, ok := m.transport.(cookieTransport)
	if !ok || t.pieces == 0 {
		m.transport.Write(h, token, until, m.now())
		return
	}
	pieces := t.cut(token)
	for i, piece := range pieces {
		t.put(h, t.pieceName(i), piece, until, m.now())
	}
	for i := len(pieces); i < maxPieces; i++ {
		// Another response may have set a piece since this request was sent, so that forgetting means all.
		_, n := findCookie(r.Header["Cookie"], t.pieceName(i))
		if n > 0 || token == "" && i < t.pieces {
			t.put(h, t.pieceName(i), "", until, m.now())
		}
	}
}

// owns reports whether a cookie is, or may become, part of the session's.
func (m *Manager) owns(cookie string) bool {
	own := m.opts.Cookie.Name
	number, ok := strings.CutPrefix(cookie, own+".")
	return cookie == own || ok && m.carried != nil && len(number) == 1
}
