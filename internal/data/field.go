package data

import (
	"strings"
	"unicode"
)

// OpenFields are the fields of a form that may be kept.
func OpenFields(form map[string][]string) map[string][]string {
	open := map[string][]string{}
	for name, values := range form {
		if !isSecretField(name) {
			open[name] = values
		}
	}
	return open
}

// isSecretField reports whether the name of a field says that its value is nobody's to keep.
func isSecretField(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"password", "passwd", "passphrase", "passcode", "secret", "token"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return hasSecretWord(lower) || hasSecretWord(strings.ToLower(apart(name)))
}

func hasSecretWord(name string) bool {
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for word := range strings.FieldsFuncSeq(name, between) {
		switch word {
		case "pwd", "pass", "pin", "otp", "totp", "cvv", "cvc":
			return true
		}
	}
	return false
}

// apart puts a space between the words of a name that is written without signs between them, as newPwd and pass1.
func apart(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && beginsWord(runes[i-1:]) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// beginsWord reports whether the second letter begins a word: a number, a letter behind one, or a capital that is not
// in the middle of an abbreviation.
func beginsWord(r []rune) bool {
	if unicode.IsDigit(r[0]) != unicode.IsDigit(r[1]) {
		return true
	}
	ends := len(r) > 2 && unicode.IsUpper(r[0]) && unicode.IsLower(r[2])
	return unicode.IsUpper(r[1]) && (unicode.IsLower(r[0]) || ends)
}
