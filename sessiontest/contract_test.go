package sessiontest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session/sessiontest"
)

// TestTheContractIsThatOfTheInterfaces keeps what the rules quote alike with what the interfaces say.
func TestTheContractIsThatOfTheInterfaces(t *testing.T) {
	docs := typeDocs(t, "../store.go", "../errors.go")
	for clause, sentence := range sessiontest.Contract {
		name, number, numbered := strings.Cut(clause, " ")
		text, ok := docs[name]
		if numbered {
			text, ok = items(docs[name])[number]
		}
		switch {
		case !ok:
			t.Errorf("the contract quotes %s, which is not there any more: %q", clause, sentence)
		case numbered && text != sentence:
			t.Errorf("%s is\n\t%q, but the contract has\n\t%q", clause, text, sentence)
		case !strings.Contains(text, sentence):
			t.Errorf("the comment of %s does not have the sentence %q", clause, sentence)
		}
	}
	for _, name := range []string{"Store", "Toucher", "Sweeper", "Lister", "Limiter", "Watcher", "Sharer"} {
		for number, text := range items(docs[name]) {
			if clause := name + " " + number; sessiontest.Contract[clause] == "" {
				t.Errorf("the contract lacks %s: %q", clause, text)
			}
		}
	}
}

func TestEveryClauseHasARule(t *testing.T) {
	clauses := sessiontest.Clauses()
	for clause := range sessiontest.Contract {
		if !slices.Contains(clauses, clause) {
			t.Errorf("no rule checks %s", clause)
		}
	}
	for _, clause := range clauses {
		if sessiontest.Contract[clause] == "" {
			t.Errorf("a rule checks %q, which the contract does not have", clause)
		}
	}
}

func TestNamesOfRulesDiffer(t *testing.T) {
	names := slices.Sorted(slices.Values(sessiontest.RuleNames()))
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("two rules have one name: %q", names)
	}
}

// typeDocs are the comments of the types in some files, each on one line for every paragraph or item of a list.
func typeDocs(t *testing.T, files ...string) map[string]string {
	t.Helper()
	docs := make(map[string]string)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			docs[gen.Specs[0].(*ast.TypeSpec).Name.Name] = unwrapped(gen.Doc.Text())
		}
	}
	return docs
}

var item = regexp.MustCompile(`^ *(\d+)\. +(.*)$`)

// unwrapped joins the lines of each paragraph and item.
func unwrapped(doc string) string {
	var b strings.Builder
	for line := range strings.Lines(doc) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || item.MatchString(line):
			fmt.Fprintf(&b, "\n%s", line)
		default:
			fmt.Fprintf(&b, " %s", strings.TrimSpace(line))
		}
	}
	return b.String()
}

// items are the numbered items of a comment by number.
func items(doc string) map[string]string {
	list := make(map[string]string)
	for line := range strings.Lines(doc) {
		if m := item.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			list[m[1]] = m[2]
		}
	}
	return list
}
