package life

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckUser refuses what is no user name, and what looks like another one on a page: two users with one face are a way
// to be taken for somebody else. The error does not contain the name.
func CheckUser(user string) error {
	switch {
	case user == "":
		return errors.New("session: the user name is empty")
	case len(user) > 255:
		return errors.New("session: the user name is longer than 255 bytes")
	case !utf8.ValidString(user):
		return errors.New("session: the user name is not UTF-8")
	case strings.ContainsFunc(user, unicode.IsControl):
		return errors.New("session: the user name contains a control character")
	case strings.ContainsFunc(user, invisible):
		return errors.New("session: the user name contains an invisible or bidirectional character")
	case strings.TrimFunc(user, unicode.IsSpace) != user:
		return errors.New("session: the user name begins or ends with a blank; trim it")
	}
	return nil
}

// invisible reports characters that show nothing, or change the order of what is around them.
func invisible(r rune) bool {
	return r >= 0x80 && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point,
		unicode.Variation_Selector)
}
