package redisstore_test

import (
	"slices"
	"testing"

	"github.com/coatcheck/session/redisstore"
)

// Whoever is slow to hear of sessions is told to ask, and of those that ended since.
func TestNewsThatAreTooManyBecomeAQuestion(t *testing.T) {
	ids := slices.Repeat([]string{"a"}, redisstore.Unheard)
	if told := redisstore.Told(ids...); !slices.Equal(told, ids) {
		t.Errorf("of %d sessions %d are told", len(ids), len(told))
	}
	if told := redisstore.Told(append(ids, "b", "c")...); !slices.Equal(told, []string{"", "c"}) {
		t.Errorf("of two sessions more, %d are told, want the question and the last", len(told))
	}
}
