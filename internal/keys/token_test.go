package keys_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/keys"
)

var (
	forCookie  = keys.BindToken(cookie)
	cookieOnly = [][]byte{forCookie}
)

func TestATokenComesBack(t *testing.T) {
	for _, plain := range []string{"", "x", strings.Repeat("the coat ", 1000)} {
		token := known.SealToken([]byte(plain), forCookie)
		if len(token) != keys.TokenSize(len(plain)) {
			t.Errorf("a token of %d bytes has %d, TokenSize says %d", len(plain), len(token),
				keys.TokenSize(len(plain)))
		}
		if got, signer, err := known.OpenToken(token, cookieOnly); string(got) != plain || signer != 0 ||
			err != nil {
			t.Errorf("OpenToken = %q by %d, %v", got, signer, err)
		}
	}
}

func TestNoByteOfATokenCanBeChanged(t *testing.T) {
	good := known.SealToken([]byte("the coat"), forCookie)
	for i := range good {
		for _, bad := range []string{flip(good, i), good[:i], good[:i] + "\n" + good[i:]} {
			if _, _, err := known.OpenToken(bad, cookieOnly); !refused(err) {
				t.Errorf("character %d changed to %q: %v", i, bad, err)
			}
		}
	}
}

func TestATokenOpensUnderTheNamesItMayHave(t *testing.T) {
	former, other := keys.BindToken("former"), keys.BindToken("other")
	token := known.SealToken([]byte("x"), former)
	if _, _, err := known.OpenToken(token, [][]byte{forCookie, former}); err != nil {
		t.Errorf("under a former name: %v", err)
	}
	for _, names := range [][][]byte{nil, cookieOnly, {forCookie, other}} {
		if _, _, err := known.OpenToken(token, names); !errors.Is(err, keys.ErrBadSignature) {
			t.Errorf("under %d other names: %v, want ErrBadSignature", len(names), err)
		}
	}
}

func TestATokenTellsWhichSecretSealedIt(t *testing.T) {
	token := ringOf(oldSecret).SealToken([]byte("x"), forCookie)
	if _, signer, err := ringOf(freshSecret, oldSecret).OpenToken(token, cookieOnly); signer != 1 || err != nil {
		t.Errorf("sealed by %d, %v, want 1", signer, err)
	}
	if _, _, err := ringOf(freshSecret).OpenToken(token, cookieOnly); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("by a secret that was removed: %v, want ErrBadSignature", err)
	}
}

// Whatever a client sends as a token has one of two errors, unless this secret sealed it.
func FuzzToken(f *testing.F) {
	for _, text := range []string{
		"", "e1.", oldToken, oldToken[:30], oldToken + "=", oldTicket, "e1." + strings.Repeat("A", 80),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain, signer, err := known.OpenToken(text, cookieOnly)
		if err == nil && (text != oldToken || string(plain) != "packed" || signer != 0) {
			t.Errorf("OpenToken(%q) = %q by %d", text, plain, signer)
		}
		if err != nil && (!refused(err) || text == oldToken || plain != nil) {
			t.Errorf("OpenToken(%q) = %q, %v", text, plain, err)
		}
	})
}
