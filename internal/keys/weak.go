package keys

import (
	"bytes"
	"slices"
	"strings"
)

// MinSecret is how many bytes a secret has at least.
const MinSecret = 32

// IsWeak reports whether a secret of at least [MinSecret] bytes is what somebody typed, or copied from a document.
func IsWeak(secret []byte) bool { return isPattern(secret) || isPublished(secret) }

// isPattern finds what people type instead of a secret: a short text repeated, few different bytes, or bytes that
// count.
func isPattern(s []byte) bool {
	for period := 1; period < MinSecret && period < len(s); period++ {
		if 2*period <= len(s) && bytes.Equal(s[period:], s[:len(s)-period]) {
			return true
		}
	}
	var seen [256]bool
	different, step, counts := 0, s[1]-s[0], true
	for i, b := range s {
		if !seen[b] {
			seen[b] = true
			different++
		}
		counts = counts && (i == 0 || b-s[i-1] == step)
	}
	return counts || different < minDifferent
}

// minDifferent is how many different bytes a secret has at least. Random bytes in hexadecimal digits have up to 16.
const minDifferent = 11

// published are parts of the secrets that documents, ours too, and the templates of frameworks show.
var published = []string{"example", "changeme", "change-me", "change_me", "your-secret", "your_secret", "secret-key",
	"secret_key", "secretkey",
	"insecure", "thisismyscretkey", "password", "not-a-secret", "do-not-use"}

// isPublished finds what was copied from a document. Random bytes do not look so.
func isPublished(s []byte) bool {
	text := strings.ToLower(string(s))
	return slices.ContainsFunc(published, func(part string) bool { return strings.Contains(text, part) })
}
