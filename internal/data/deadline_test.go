package data_test

import (
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// A deadline that does not read is none: the record is authentic, and of a version that writes another form.
func TestADeadlineThatDoesNotReadIsNone(t *testing.T) {
	for _, raw := range []string{"", "\x80", "\x02\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		st := withEntry(t, envelope.Header{}, "coatcheck:deadline", raw)
		if st.Deadline() != 0 || !st.Empty() {
			t.Errorf("%q is the deadline %d", raw, st.Deadline())
		}
	}
	st := withEntry(t, envelope.Header{}, "coatcheck:deadline", "\x02")
	if st.Deadline() != 1 {
		t.Errorf("the deadline is %d, want 1", st.Deadline())
	}
}

// withEntry is the state of an envelope with one entry.
func withEntry(t *testing.T, h envelope.Header, key, raw string) data.State {
	t.Helper()
	h, entries, err := envelope.Parse(envelope.AppendEntry(h.Append(nil), key, []byte(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return data.NewState(h, entries, 0)
}
