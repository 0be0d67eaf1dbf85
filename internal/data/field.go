package data

import (
	"strings"
	"unicode"
)

// IsSecretField reports whether the name of a field says that its value is nobody's to keep.
func IsSecretField(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"password", "passwd", "passphrase", "passcode", "secret", "token"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for word := range strings.FieldsFuncSeq(name, between) {
		switch word {
		case "pwd", "pass", "pin", "otp", "totp", "cvv", "cvc":
			return true
		}
	}
	return false
}
