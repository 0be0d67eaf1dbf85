package dbsc

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// maxField bounds a header field: the longest one carries a proof.
const maxField = MaxProof + 1024

const (
	errNoField   reason = "the header is missing"
	errTwice     reason = "the header is there twice"
	errFieldSize reason = "the header is too long"
	errField     reason = "the header is no structured field"
	errNoText    reason = "the header is no text"
)

// Token is a token of a structured field, such as an algorithm.
type Token string

// Other is a value that is neither a string, a token nor a boolean, as it was written.
type Other string

// Member is one member of a list.
type Member struct {
	Value  any            // a string, Token, bool or Other; nil when Inner is not
	Inner  []any          // of an inner list
	Params map[string]any // the last of each name
}

// Text is the value of a field that is one string. Its parameters are ignored. Chromium sends the string without its
// quotes, in which case it is letters, digits and what base64url and a JWT have besides.
func Text(lines []string) (string, error) {
	switch {
	case len(lines) == 0:
		return "", errNoField
	case len(lines) > 1:
		return "", errTwice
	case len(lines[0]) > maxField:
		return "", errFieldSize
	}
	if line := lines[0]; line != "" && isBare(line) {
		return line, nil
	}
	p := parser{strings.Trim(lines[0], " ")}
	m, ok := p.item()
	text, isText := m.Value.(string)
	switch {
	case !ok || p.rest != "":
		return "", errField
	case !isText || text == "":
		return "", errNoText
	}
	return text, nil
}

func isBare(text string) bool {
	for _, c := range []byte(text) {
		if !isAlpha(c) && !isDigit(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// List is the value of a field that is a list. The lines of one field are one list.
func List(lines []string) ([]Member, error) {
	text := strings.Join(lines, ", ")
	if len(text) > maxField {
		return nil, errFieldSize
	}
	p := parser{strings.Trim(text, " ")}
	var list []Member
	for p.rest != "" {
		m, ok := p.member()
		if !ok {
			return nil, errField
		}
		list = append(list, m)
		p.blanks(" \t")
		if p.rest == "" {
			return list, nil
		}
		comma := p.skip(',')
		if p.blanks(" \t"); !comma || p.rest == "" {
			return nil, errField
		}
	}
	return list, nil
}

// Quote writes a string of a structured field. Its characters are printable ASCII.
func Quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// parser eats a text from its beginning. Each method reports whether what it is for was there.
type parser struct{ rest string }

func (p *parser) skip(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) blanks(set string) { p.rest = strings.TrimLeft(p.rest, set) }

// while eats the longest beginning whose characters are all good.
func (p *parser) while(good func(byte) bool) string {
	n := 0
	for n < len(p.rest) && good(p.rest[n]) {
		n++
	}
	text := p.rest[:n]
	p.rest = p.rest[n:]
	return text
}

func (p *parser) member() (Member, bool) {
	if !p.skip('(') {
		return p.item()
	}
	m := Member{Inner: []any{}}
	for {
		p.blanks(" ")
		if p.skip(')') {
			break
		}
		inner, ok := p.item()
		if !ok || p.rest == "" || p.rest[0] != ' ' && p.rest[0] != ')' {
			return m, false
		}
		m.Inner = append(m.Inner, inner.Value)
	}
	var ok bool
	m.Params, ok = p.params()
	return m, ok
}

func (p *parser) item() (m Member, ok bool) {
	if m.Value, ok = p.bare(); !ok {
		return m, false
	}
	m.Params, ok = p.params()
	return m, ok
}

func (p *parser) params() (map[string]any, bool) {
	var params map[string]any
	for p.skip(';') {
		p.blanks(" ")
		if p.rest == "" || !isKeyStart(p.rest[0]) {
			return nil, false
		}
		key, value := p.while(isKey), any(true)
		if p.skip('=') {
			var ok bool
			if value, ok = p.bare(); !ok {
				return nil, false
			}
		}
		if params == nil {
			params = map[string]any{}
		}
		params[key] = value
	}
	return params, true
}

func (p *parser) bare() (any, bool) {
	if p.rest == "" {
		return nil, false
	}
	switch c := p.rest[0]; {
	case c == '"':
		return p.text()
	case c == '*' || isAlpha(c):
		return Token(p.while(isToken)), true
	case c == '-' || isDigit(c):
		return p.number()
	case c == '?':
		return p.boolean()
	case c == ':':
		return p.bytes()
	case c == '@':
		return p.date()
	case c == '%':
		return p.display()
	}
	return nil, false
}

func (p *parser) text() (any, bool) {
	var text strings.Builder
	for p.rest = p.rest[1:]; p.rest != ""; {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == '"':
			return text.String(), true
		case c < ' ' || c > '~':
			return nil, false
		case c == '\\':
			if p.rest == "" || p.rest[0] != '"' && p.rest[0] != '\\' {
				return nil, false
			}
			c, p.rest = p.rest[0], p.rest[1:]
		}
		text.WriteByte(c)
	}
	return nil, false
}

func (p *parser) number() (any, bool) {
	all := p.rest
	p.skip('-')
	whole := p.while(isDigit)
	ok := len(whole) > 0 && len(whole) <= 15
	if p.skip('.') {
		part := p.while(isDigit)
		ok = ok && len(whole) <= 12 && len(part) > 0 && len(part) <= 3
	}
	return Other(all[:len(all)-len(p.rest)]), ok
}

func (p *parser) boolean() (any, bool) {
	p.skip('?')
	on := p.skip('1')
	return on, on || p.skip('0')
}

func (p *parser) bytes() (any, bool) {
	p.skip(':')
	text, rest, ok := strings.Cut(p.rest, ":")
	if _, err := base64.StdEncoding.DecodeString(text); !ok || err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	p.rest = rest
	return Other(":" + text + ":"), true
}

func (p *parser) date() (any, bool) {
	p.skip('@')
	n, ok := p.number()
	text, _ := n.(Other)
	return "@" + text, ok && !strings.Contains(string(text), ".")
}

// display reads a string of any characters, of which those that are not printable ASCII are escaped.
func (p *parser) display() (any, bool) {
	p.skip('%')
	if !p.skip('"') {
		return nil, false
	}
	text, rest, ok := strings.Cut(p.rest, `"`)
	p.rest = rest
	return Other(`%"` + text + `"`), ok && isDisplay(text)
}

func isDisplay(text string) bool {
	var plain []byte
	for text != "" {
		c := text[0]
		if c < ' ' || c > '~' {
			return false
		}
		if c != '%' {
			plain, text = append(plain, c), text[1:]
			continue
		}
		if len(text) < 3 || strings.ToLower(text[:3]) != text[:3] {
			return false
		}
		b, err := hex.DecodeString(text[1:3])
		if err != nil {
			return false
		}
		plain, text = append(plain, b...), text[3:]
	}
	return utf8.Valid(plain)
}

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isToken(c byte) bool {
	return isAlpha(c) || isDigit(c) || strings.IndexByte("!#$%&'*+-.^_`|~:/", c) >= 0
}

func isKeyStart(c byte) bool { return 'a' <= c && c <= 'z' || c == '*' }
func isKey(c byte) bool      { return isKeyStart(c) || isDigit(c) || c == '_' || c == '-' || c == '.' }
