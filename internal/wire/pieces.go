package wire

import (
	"slices"
	"strconv"
	"strings"
)

// MaxPieces is the most cookies that one session may fill, whatever the store says. Their numbers have one digit.
const MaxPieces = 8

// Pieces are the cookies that a token fills. A token that is too long for one cookie is cut into pieces. The first
// is in the cookie itself, after "<count>.", the others in cookies with the same name and ".1", ".2", … behind it. A
// token that fits is in the cookie as it is, and begins with no digit. Pieces are never changed, and so safe for
// concurrent use.
type Pieces struct {
	most  int      // how many cookies a token may fill
	names []string // of all that could be
}

// NewPieces returns the cookies of a session whose token fills that many of them at most, and no more than
// [MaxPieces]. With 0 it is never cut: there is one cookie only, and whatever is in it is a token.
func NewPieces(name string, most int) Pieces {
	names := []string{name}
	for i := 1; i < MaxPieces && most > 0; i++ {
		names = append(names, name+"."+strconv.Itoa(i))
	}
	return Pieces{most, names}
}

// Named returns the same cookies under another name.
func (p Pieces) Named(name string) Pieces { return NewPieces(name, p.most) }

// Names are the names of all cookies that pieces of a token could be in. They are not to be changed.
func (p Pieces) Names() []string { return p.names }

// IsOne reports whether there is one cookie only, because tokens are never cut.
func (p Pieces) IsOne() bool { return p.most == 0 }

// roomOne is what fits into one cookie, roomEach into each of several: the count in the first is as long as what is
// added to the names of the others.
func (p Pieces) roomOne() int  { return MaxCookieSize - len(p.names[0]) }
func (p Pieces) roomEach() int { return p.roomOne() - len(".1") }

// Room is the longest token that the cookies hold.
func (p Pieces) Room() int {
	if p.most <= 1 {
		return p.roomOne()
	}
	return p.most * p.roomEach()
}

// Read returns the token of a request from its Cookie headers, "" when there is none. It is not ok when a cookie
// came twice, or when the pieces do not belong together.
func (p Pieces) Read(lines []string) (token string, ok bool) {
	value, n := Find(lines, p.names[0])
	if n > 1 {
		return "", false
	}
	if p.IsOne() {
		return value, true
	}
	return p.join(value, lines)
}

// Write calls put for each cookie that gives the client a token, "" to forget the one it has, and with an empty
// value for each that removes what is left of a longer one. lines are the Cookie headers of the request. The token
// is not longer than Room.
func (p Pieces) Write(lines []string, token string, put func(name, value string)) {
	if len(token) <= p.roomOne() {
		put(p.names[0], token)
		p.clean(lines, 1, token == "", put)
		return
	}
	pieces := p.cut(token)
	for i, piece := range pieces {
		put(p.names[i], piece)
	}
	p.clean(lines, len(pieces), false, put)
}

// cut cuts a token that does not fit into one cookie.
func (p Pieces) cut(token string) []string {
	var pieces []string
	for rest := token; rest != ""; {
		n := min(len(rest), p.roomEach())
		pieces, rest = append(pieces, rest[:n]), rest[n:]
	}
	pieces[0] = strconv.Itoa(len(pieces)) + "." + pieces[0]
	return pieces
}

// join puts the pieces together. The count is checked before anything is looked for.
func (p Pieces) join(first string, lines []string) (token string, ok bool) {
	if len(first) < 2 || first[0] < '0' || first[0] > '9' {
		return first, true
	}
	count := int(first[0] - '0')
	if first[1] != '.' || count < 2 || count > p.most {
		return "", false
	}
	whole := make([]byte, 0, len(first)+(count-1)*p.roomEach())
	whole = append(whole, first[2:]...)
	for i := 1; i < count; i++ {
		piece, n := Find(lines, p.names[i])
		if n != 1 || len(piece) > p.roomEach() {
			return "", false
		}
		whole = append(whole, piece...)
	}
	return string(whole), true
}

// clean removes the cookies behind the first ones. Another response may have set some since this request was sent,
// so that at the end of a session it removes all.
func (p Pieces) clean(lines []string, used int, ended bool, put func(name, value string)) {
	if p.IsOne() {
		return
	}
	stem := p.names[1][:len(p.names[1])-1]
	sent := slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, stem) })
	for i := used; i < MaxPieces && (sent || ended); i++ {
		if _, n := Find(lines, p.names[i]); n > 0 || ended && i < p.most {
			put(p.names[i], "")
		}
	}
}
