package data_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// Factors that do not read are none: the record is authentic, and of a version that writes another form.
func TestFactorsThatDoNotReadAreNone(t *testing.T) {
	for _, raw := range []string{
		"\x80", "\x02", "\x02\x04otp", "\x08\x01@\x02", "\x02\x03otp\x02",
		"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
	} {
		if st := withFactors(t, raw); len(st.Factors()) != 0 || st.Proven() != 0 {
			t.Errorf("%q has the factors %v, the oldest of %d", raw, st.Factors(), st.Proven())
		}
	}
	st := withFactors(t, "\x04\x03otp\x02\x00")
	if got := st.Factors(); len(got) != 2 || got[0] != (data.Factor{Name: "otp", At: 2}) || st.Proven() != 1 {
		t.Errorf("factors %v, the oldest of %d, want otp of 2 and a sign-in of 1", got, st.Proven())
	}
}

func withFactors(t *testing.T, raw string) data.State {
	t.Helper()
	return withEntry(t, envelope.Header{Login: 1}, "coatcheck:login:factors", raw)
}

func FuzzFactors(f *testing.F) {
	f.Add("\x04\x03otp\x02\x00")
	f.Add("\x04\x03otp\x08\x01@")
	f.Add("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, raw string) {
		st := withFactors(t, raw)
		if list := st.Factors(); len(list) == 0 && st.Proven() != st.Called() && st.Called() >= 0 {
			t.Errorf("%q has no factors and a Login of %d, and the later of %d", raw, st.Called(), st.Proven())
		}
	})
}

// A Login is called when it is, whatever time it gives to the sign-in: the clocks run from the call. Factors that are
// confirmed later have times of their own.
func TestTheClocksRunFromTheCallOfALogin(t *testing.T) {
	doc := data.Doc{State: data.NewState(envelope.Header{Login: 1}, nil, 0)}
	rules := data.Rules{Codec: data.JSON{}, MaxBytes: 1000}
	do := func(o data.Op) {
		t.Helper()
		if err := doc.Do(rules, o, true); err != nil {
			t.Fatal(err)
		}
	}
	pwd := [][]byte{[]byte("pwd")}
	do(data.Op{Kind: data.OpLogin, At: 10, More: &data.More{List: pwd, Duration: 90 * time.Microsecond}})
	if st := &doc.State; st.Login != 10 || st.Called() != 100 || st.Proven() != 100 || len(st.Factors()) != 1 {
		t.Errorf("login %d, called at %d, proven %d, %v", st.Login, st.Called(), st.Proven(), st.Factors())
	}
	do(data.Op{Kind: data.OpFactor, Raw: []byte("otp"), At: 200})
	if st := &doc.State; st.Called() != 100 || st.Proven() != 100 || len(st.Factors()) != 2 {
		t.Errorf("after one more factor: called at %d, proven %d, %v", st.Called(), st.Proven(), st.Factors())
	}
	do(data.Op{Kind: data.OpFactor, Raw: []byte("pwd"), At: 300})
	if got := doc.State.Proven(); got != 200 {
		t.Errorf("after each was shown again: proven %d, want 200", got)
	}
	do(data.Op{Kind: data.OpLogin, At: 400, More: &data.More{List: pwd}})
	if st := &doc.State; st.Called() != 0 || st.Proven() != 400 {
		t.Errorf("after another Login: called at %d, proven %d", st.Called(), st.Proven())
	}
}

// What belongs to a sign-in goes with the next, of the same user too, whether it is stored or was just set.
func TestALoginRemovesWhatBelongedToTheOneBefore(t *testing.T) {
	entries := envelope.AppendEntry(nil, "coatcheck:login:a", []byte("1"))
	entries = envelope.AppendEntry(entries, "coatcheck:b", []byte("2"))
	doc := data.Doc{State: data.NewState(envelope.Header{Login: 1}, entries, 0)}
	rules := data.Rules{Codec: data.JSON{}, MaxBytes: 1000}
	path, _ := data.ParseConstant("coatcheck:login:c.d")
	for _, o := range []data.Op{
		{Kind: data.OpSet, Path: path, Raw: []byte("3")},
		{Kind: data.OpFactor, Raw: []byte("otp"), At: 2},
		{Kind: data.OpLogin, At: 3, More: &data.More{List: [][]byte{[]byte("pwd")}}},
	} {
		if err := doc.Do(rules, o, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := doc.State.Finish(rules); err != nil {
		t.Fatal(err)
	}
	_, left, err := envelope.Parse(doc.State.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range left.All() {
		keys = append(keys, string(key))
	}
	if len(keys) != 2 || keys[0] != "coatcheck:b" || keys[1] != "coatcheck:login:factors" || doc.State.Proven() != 3 {
		t.Errorf("keys %q, proven %d", keys, doc.State.Proven())
	}
}
