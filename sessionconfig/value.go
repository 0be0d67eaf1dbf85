package sessionconfig

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// errKind is the error of a value of the wrong kind: what is allowed says the key.
var errKind = errors.New("")

func text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", errKind
}

// boolean also reads what Python writes, and what the environment can hold.
func boolean(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		b, err := strconv.ParseBool(strings.ToLower(v))
		if err != nil {
			return false, errKind
		}
		return b, nil
	}
	return false, errKind
}

// inverted is for keys that say the opposite of our option.
func inverted(v any) (bool, error) {
	b, err := boolean(v)
	return !b, err
}

func whole(v any) (int64, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v), nil
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, errKind
}

// count is a whole number that is not negative.
func count(v any) (int, error) {
	n, err := whole(v)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0, errKind
	}
	return int(n), nil
}

// size is a number of bytes, with or without a unit.
func size(v any) (int, error) {
	s, ok := v.(string)
	if !ok {
		return count(v)
	}
	number, unit := strings.TrimRight(s, "BKMGi "), int64(1)
	switch strings.TrimSpace(s[len(number):]) {
	case "", "B":
	case "KB":
		unit = 1000
	case "KiB":
		unit = 1 << 10
	case "MB":
		unit = 1000 * 1000
	case "MiB":
		unit = 1 << 20
	default:
		return 0, errKind
	}
	n, err := whole(number)
	if err != nil || n < 0 || n > math.MaxInt32/unit {
		return 0, errKind
	}
	return int(n * unit), nil
}

// duration is a positive time with its unit: 90s, 30m, 24h, 30d.
func duration(v any) (time.Duration, error) {
	s, ok := v.(string)
	if !ok {
		return 0, bareNumber(v)
	}
	s = strings.TrimSpace(s)
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int64
		if n, err = whole(days); err == nil && (n < 0 || n > 36500) {
			return 0, errors.New("at most 36500 days are allowed; ")
		}
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil {
		if _, number := whole(s); number == nil {
			return 0, bareNumber(s)
		}
		return 0, errKind
	}
	if d <= 0 {
		return 0, errors.New("it must be more than zero; leave the key out to get the default; ")
	}
	return d, nil
}

func bareNumber(v any) error {
	if n, err := whole(v); err == nil {
		return fmt.Errorf("a number needs its unit, as in %dm or %ds; ", n, n)
	}
	return errKind
}

// durationOr reads a word that stands for a negative duration, "never" or "always".
func durationOr(word string) func(any) (time.Duration, error) {
	return func(v any) (time.Duration, error) {
		if s, ok := v.(string); ok && strings.EqualFold(s, word) {
			return -1, nil
		}
		return duration(v)
	}
}

// choice reads one of some words, in any case.
func choice[T any](words map[string]T) func(any) (T, error) {
	return func(v any) (T, error) {
		s, _ := v.(string)
		t, ok := words[strings.ToLower(s)]
		if !ok {
			if hint := suggest(s, names(words)); hint != "" && s != "" {
				return t, errors.New(hint)
			}
			return t, errKind
		}
		return t, nil
	}
}

var (
	sameSite = choice(map[string]http.SameSite{
		"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode,
	})
	overflow = choice(map[string]session.Overflow{"evict_oldest": session.EvictOldest, "refuse_new": session.RefuseNew})
)

// list reads a list, or a text with commas, which is all that the environment can hold.
func list(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		var parts []string
		for _, part := range strings.Split(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				parts = append(parts, part)
			}
		}
		return parts, nil
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			var err error
			if parts[i], err = text(e); err != nil {
				return nil, err
			}
		}
		return parts, nil
	}
	return nil, errKind
}

// command reads a program and its arguments: a list, or a text that is parted at white space. No shell is involved.
func command(v any) ([]string, error) {
	var parts []string
	var err error
	if s, ok := v.(string); ok {
		parts = strings.Fields(s)
	} else {
		parts, err = list(v)
	}
	switch {
	case err == nil && len(parts) == 0:
		err = errKind
	case err == nil && (strings.Contains(parts[0], "=") || inPlace.MatchString(parts[0])):
		err = errInPlace
	}
	return parts, err
}

func prefixes(v any) ([]netip.Prefix, error) {
	parts, err := list(v)
	if err != nil {
		return nil, err
	}
	found := make([]netip.Prefix, len(parts))
	for i, part := range parts {
		addr, err := netip.ParseAddr(part)
		if err == nil {
			found[i] = netip.PrefixFrom(addr, addr.BitLen())
			continue
		}
		if found[i], err = netip.ParsePrefix(part); err != nil {
			return nil, fmt.Errorf("%s is neither; ", show(part))
		}
	}
	return found, nil
}
