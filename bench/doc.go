// Command bench measures session libraries side by side: the stores of this repository, scs, gorilla/sessions,
// gin-contrib/sessions and the session of fiber, each with its defaults, in one run, through the same handlers. make
// bench-peers starts it; it writes the measured part of docs/benchmarks.md with its pictures.
//
// Each library is one file that implements library. The handlers are in scenario.go, who takes turns with whom in
// turns.go, the ways to measure in measure.go, trips.go and correct.go, the curves in curves.go, and what is written in
// report.go, targets.go and chart.go.
package main
