package sessiontest

import "github.com/coatcheck/session"

// Contract is what the rules say that they check.
var Contract = contract

// RuleNames are the names of all rules in their order.
func RuleNames() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// Clauses are the clauses of the contract that rules check.
func Clauses() []string {
	var clauses []string
	for _, r := range rules() {
		clauses = append(clauses, r.clause)
	}
	return clauses
}

// Unlike are two records that differ in every field but the id.
func Unlike() (a, b *session.Record) { return sample(idA), unlike(idA) }
