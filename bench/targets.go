//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// target is what was aimed at.
type target struct {
	what     string
	need     float64
	atMost   bool // otherwise at least
	unit     string
	measured float64
	byHand   float64 // what the raw commands alone would reach; 0 where there are none
}

func (t target) met() bool {
	if t.atMost {
		return t.measured <= t.need
	}
	return t.measured >= t.need
}

// faster is how many times less time one of our libraries needs than the fastest store of the others.
func (r *results) faster(ours, store, what string, others ...string) float64 {
	return r.fastest(store, what, others...) / r.beyondBare(r.ns(ours, store, what))
}

// beyondBare is the time that a request takes beyond the bare handler, which every library has.
func (r *results) beyondBare(ns float64) float64 { return max(ns-r.bare(), 0) }

// fastest is the time beyond the bare handler of the fastest of all stores of the others, or of every other where none
// is named; 0 where nothing was measured.
func (r *results) fastest(store, what string, others ...string) (ns float64) {
	for _, l := range librariesOn(store) {
		if l.ours || len(others) > 0 && !slices.Contains(others, l.name) {
			continue
		}
		if s, ok := r.median(figure{l.String(), store, what}); ok {
			took := max(r.beyondBare(s.ns), 1) // doing nothing is measured as a little more or less than the bare one
			if ns == 0 || took < ns {
				ns = took
			}
		}
	}
	return ns
}

// fasterByHand is the same for a site that sends the raw commands and does nothing else.
func (r *results) fasterByHand(store, what string, others ...string) float64 {
	ns := r.ns(rawCommand, store, what)
	if ns == 0 {
		return 0
	}
	return r.fastest(store, what, others...) / ns
}

// aim is how much faster than others one of our libraries is to be, by scenario.
type aim struct {
	ours, store string
	others      []string // nil: all
	need        []float64
}

var (
	kinds      = []string{"read", "write", "new"}
	largeKinds = []string{"read 10 KB", "write 10 KB"}

	aims = []aim{
		{coatcheck, inMemory, []string{"scs"}, []float64{8, 7, 1.5, 15, 6}},
		{coatcheck, inCookie, nil, []float64{6, 6, 1.5}},
		{coatcheck, inFiles, nil, []float64{3.5}},
		{coatcheck, inSQLite, []string{"scs"}, []float64{1.7, 1.5, 1.2}},
		{coatcheck, inPostgreSQL, nil, []float64{1.2, 1.2, 1.2}},
		{coatcheck + ", pgstore", inPostgreSQL, nil, []float64{1.2, 1.2, 1.2}},
		{coatcheck + ", " + sharedPool, inPostgreSQL, nil, []float64{1.2, 1.2, 1.2}},
		{coatcheck, inRedis, nil, []float64{1.2, 1.2, 1.2}},
	}
)

func (a aim) targets(r *results) (list []target) {
	others := "every other"
	if a.others != nil {
		others = strings.Join(a.others, " and ")
	}
	for i, need := range a.need {
		what := slices.Concat(kinds, largeKinds)[i]
		list = append(list, target{fmt.Sprintf("%s, %s: %s faster than %s", a.store, what, a.ours, others), need, false,
			"×", r.faster(a.ours, a.store, what, a.others...), r.fasterByHand(a.store, what, a.others...)})
	}
	return list
}

func (r *results) targets() (list []target) {
	for _, a := range aims {
		list = append(list, a.targets(r)...)
	}
	bytes := func(what string) float64 {
		s, _ := r.median(figure{coatcheck, inMemory, what})
		bare, _ := r.median(figure{bareHandler, "", "in the process"})
		return (s.bytes - bare.bytes) / 1000
	}
	trips := func(what string) float64 { return r.trips[figure{coatcheck + ", cached", inRedis, what}].trips }
	list = append(list,
		target{"memory, read: bytes allocated", 0.8, true, "KB", bytes("read"), 0},
		target{"memory, write: bytes allocated", 1.4, true, "KB", bytes("write"), 0},
		target{"files, write with sync: time beside the raw commands with sync", 1.05, true, "×", r.besideSynced(), 0},
		target{"Redis with a cache, read: round trips", 0, true, "", trips("read"), 0},
		target{"Redis with a cache, write: round trips", 1, true, "", trips("write"), 0})
	for _, store := range besideCommands {
		for _, what := range []string{"read", "write"} {
			need := r.ns(coatcheck, inMemory, what)/1000 + 1
			above := float64(r.aboveRaw[figure{coatcheck, store, what}]) / 1000
			list = append(list, target{store + ", " + what + ": processor above the raw commands, at most a request " +
				"in memory and 1 µs", need, true, "µs", above, 0})
		}
	}
	list = append(list, r.conductTargets()...)
	return append(list, target{"compile what README.md runs first, with an empty cache: time beside net/http alone",
		1.3, true, "×", r.compiled, 0})
}

// besideSynced is how much longer a write to files takes than reading and replacing one by hand.
func (r *results) besideSynced() float64 {
	return r.ns(coatcheck, inFiles, "write") / r.ns(rawCommand, inFiles, "write")
}

// conductTargets are of all our stores on servers: a cookie cannot promise them.
func (r *results) conductTargets() []target {
	lost, left, revived := 1.0, 0, 0
	for f, c := range r.conduct {
		if f.store == inCookie ||
			!slices.ContainsFunc(coatcheckLibraries, func(l library) bool { return l.String() == f.library }) {
			continue
		}
		lost = min(lost, c.counted, c.keys)
		left = max(left, c.strangers)
		if c.revived {
			revived++
		}
	}
	return []target{
		{"every store but the cookie: steps that survive", 100, false, "%", 100 * lost, 0},
		{"every store but the cookie: entries of strangers", 0, true, "", float64(left), 0},
		{"every store but the cookie: tickets that work after logout", 0, true, "", float64(revived), 0},
	}
}

func (r *results) targetsText(w io.Writer) {
	fmt.Fprint(w, "\n### Targets\n\nWhere another library has several stores, its fastest counts. \"By hand\" is "+
		"what the raw commands above would reach alone,\nwithout a request around them.\n")
	var rows [][]string
	for _, t := range r.targets() {
		byHand := ""
		if t.byHand > 0 {
			byHand = fmt.Sprintf("%s %s", trimmed(t.byHand), t.unit)
		}
		sign := map[bool]string{true: "≤", false: "≥"}[t.atMost]
		rows = append(rows, []string{t.what, fmt.Sprintf("%s %s %s", sign, trimmed(t.need), t.unit),
			fmt.Sprintf("%s %s", trimmed(t.measured), t.unit),
			byHand, map[bool]string{true: "met", false: "**missed**"}[t.met()]})
	}
	table(w, []string{"", "aim", "measured", "by hand", ""}, rows)
}
