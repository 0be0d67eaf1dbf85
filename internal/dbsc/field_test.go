package dbsc_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/dbsc"
)

func TestTextReadsAStringWithAndWithoutQuotes(t *testing.T) {
	for line, want := range map[string]string{
		`"abc"`:                            "abc",
		`abc`:                              "abc",
		`eyJ.eyJ-_.AbC012`:                 "eyJ.eyJ-_.AbC012",
		`"a\"b\\c"`:                        `a"b\c`,
		`  "abc"  `:                        "abc",
		`"abc";x;y=1;z="q"`:                "abc",
		`"abc"; *a=?0;b=-1.5;c=:AA==:;d=e`: "abc",
		`"abc";d=@1659578233;e=%"f%c3%bc"`: "abc",
		strings.Repeat("a", dbsc.MaxProof): strings.Repeat("a", dbsc.MaxProof),
	} {
		if got, err := dbsc.Text([]string{line}); got != want || err != nil {
			t.Errorf("Text(%q) = %q, %v, want %q", line, got, err, want)
		}
	}
}

func TestTextRefusesWhatIsNoString(t *testing.T) {
	for _, lines := range [][]string{
		nil, {}, {""}, {" "}, {`""`}, {"a", "a"}, {`"a", "b"`}, {`"a" b`}, {"a b"}, {"a,b"}, {"a;b"}, {"(a)"}, {`"a`},
		{`"a\"`}, {`"a\n"`}, {"\"a\x7f\""}, {"\"\u00fc\""}, {`"a"x`}, {`"a";`}, {`"a";A`}, {`"a";x=`}, {`"a";x="`},
		{`"a";x=1.2345`}, {`"a";x=1234567890123456`}, {`"a";x=?2`}, {`"a";x=:A:`}, {`"a";x=@1.5`}, {`"a";x=%"%C3%BC"`},
		{`"a";x=%"%ff"`}, {`"a";x=%"%c`}, {`"a";x=!`}, {"?1"}, {":YQ==:"}, {"@1"}, {"a\tb"}, {"a=b"}, {"a~b"},
		{strings.Repeat("a", dbsc.MaxProof+1025)}, {"a\x00"},
	} {
		if got, err := dbsc.Text(lines); got != "" || err == nil {
			t.Errorf("Text(%q) = %q, want it refused", lines, got)
		}
	}
}

func TestListReadsRegistrationsAndReasons(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  []dbsc.Member
	}{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{`(ES256 RS256);path="/a";challenge="c"`}, []dbsc.Member{{
			Inner:  []any{dbsc.Token("ES256"), dbsc.Token("RS256")},
			Params: map[string]any{"path": "/a", "challenge": "c"},
		}}},
		{[]string{`( )`, ` ( a  "b" ); x`}, []dbsc.Member{
			{Inner: []any{}}, {Inner: []any{dbsc.Token("a"), "b"}, Params: map[string]any{"x": true}},
		}},
		{[]string{`unreachable;session_identifier="1", quota_exceeded`}, []dbsc.Member{
			{Value: dbsc.Token("unreachable"), Params: map[string]any{"session_identifier": "1"}},
			{Value: dbsc.Token("quota_exceeded")},
		}},
		{[]string{`"c";id="s";id=7, ?0, 1.5`}, []dbsc.Member{
			{Value: "c", Params: map[string]any{"id": dbsc.Other("7")}},
			{Value: false}, {Value: dbsc.Other("1.5")},
		}},
	} {
		if got, err := dbsc.List(tt.lines); !reflect.DeepEqual(got, tt.want) || err != nil {
			t.Errorf("List(%q) = %#v, %v, want %#v", tt.lines, got, err, tt.want)
		}
	}
}

func TestListRefusesWhatIsNone(t *testing.T) {
	for _, line := range []string{
		",", "a,", "a,,b", "(a", "a)", "(a,b)", `(a"b")`, "((a))", "a b", "a;;b", "(a);x=", "()x", "\x00", "a,\n b",
		strings.Repeat("a, ", 3000),
	} {
		if got, err := dbsc.List([]string{line}); got != nil || err == nil {
			t.Errorf("List(%q) = %v, want it refused", line, got)
		}
	}
}

// What is quoted comes back, and nothing that Text accepts is longer than it was or has other characters.
func FuzzText(f *testing.F) {
	for _, line := range []string{"", "abc", `"abc"`, `"a\\\"b";x=1;y`, `"a";d=@1;e=%"%c3%bc";f=:AA==:`, `"a", "b"`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, err := dbsc.Text([]string{line})
		if err != nil {
			if got != "" || strings.Contains(err.Error(), line) && len(line) > 8 {
				t.Errorf("Text(%q) = %q, %v", line, got, err)
			}
			return
		}
		unprintable := func(r rune) bool { return r < ' ' || r > '~' }
		if got == "" || len(got) > len(line) || strings.ContainsFunc(got, unprintable) {
			t.Errorf("Text(%q) = %q", line, got)
		}
		if again, err := dbsc.Text([]string{dbsc.Quote(got)}); again != got && len(dbsc.Quote(got)) < 4000 {
			t.Errorf("Text(Quote(%q)) = %q, %v", got, again, err)
		}
	})
}

func FuzzList(f *testing.F) {
	for _, line := range []string{
		"", `(ES256);path="a"`, `a, b;x="y"`, "(), (a b);c=?1", `"c";id="s", "d";id="t"`, "1.5;a=@1;b=:AA==:",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		list, err := dbsc.List([]string{line})
		if err != nil && list != nil || len(list) > len(line) {
			t.Errorf("List(%q) = %v, %v", line, list, err)
		}
		for _, m := range list {
			if (m.Value == nil) == (m.Inner == nil) {
				t.Errorf("List(%q) has %#v, want a value or an inner list", line, m)
			}
		}
	})
}
