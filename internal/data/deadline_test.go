package data_test

import (
	"testing"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// A deadline that does not read is none: the record is authentic, and of a version that writes another form.
func TestADeadlineThatDoesNotReadIsNone(t *testing.T) {
	for _, raw := range []string{"", "\x80", "\x02\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		st := data.NewState(envelope.Header{}, envelope.AppendEntry(nil, "coatcheck:deadline", []byte(raw)), 0)
		if st.Deadline() != 0 || !st.Empty() {
			t.Errorf("%q is the deadline %d", raw, st.Deadline())
		}
	}
	st := data.NewState(envelope.Header{}, envelope.AppendEntry(nil, "coatcheck:deadline", []byte{2}), 0)
	if st.Deadline() != 1 {
		t.Errorf("the deadline is %d, want 1", st.Deadline())
	}
}
