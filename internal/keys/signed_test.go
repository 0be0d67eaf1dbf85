package keys_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/keys"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestAnyTextIsAValue(t *testing.T) {
	for _, value := range []string{"", "plain", "a.b", "ü\u2028", "\x00\xff\r\n", strings.Repeat("x", 4000)} {
		text := known.SignValue("theme", value, time.Time{})
		if got, err := known.CheckValue("theme", text, noon); got != value || err != nil {
			t.Errorf("CheckValue = %q, %v, want %q", got, err, value)
		}
	}
}

func TestAValueHoldsUntilItsTime(t *testing.T) {
	text := known.SignValue("theme", "dark", noon)
	for now, want := range map[time.Time]error{
		time.Time{}: nil, noon.Add(-time.Microsecond): nil, noon: keys.ErrExpired,
		noon.AddDate(200, 0, 0): keys.ErrExpired,
	} {
		if got, err := known.CheckValue("theme", text, now); !errors.Is(err, want) || (err == nil) != (got == "dark") {
			t.Errorf("at %v: %q, %v, want %v", now, got, err, want)
		}
	}
	text = known.SignValue("theme", "dark", time.Time{})
	if _, err := known.CheckValue("theme", text, noon.AddDate(200, 0, 0)); err != nil {
		t.Errorf("a value without an end: %v", err)
	}
}

func TestAValueOfAnotherNameOrSecretIsRefused(t *testing.T) {
	text := known.SignValue("theme", "dark", noon.AddDate(1, 0, 0))
	for i := range text {
		if got, err := known.CheckValue("theme", flip(text, i), noon); !refused(err) || got != "" {
			t.Errorf("character %d changed: %q, %v", i, got, err)
		}
	}
	if _, err := known.CheckValue("them", text, noon); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("of another name: %v, want ErrBadSignature", err)
	}
	if _, err := ringOf(freshSecret).CheckValue("theme", text, noon); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("of another secret: %v, want ErrBadSignature", err)
	}
	if got, err := ringOf(freshSecret, publicSecret).CheckValue("theme", text, noon); got != "dark" || err != nil {
		t.Errorf("of an older secret: %q, %v", got, err)
	}
}
