// Package life is the life of a session: how it is found, changed, stored, moved to another id, and ended.
//
// A [Keeper] is what the sessions of one manager have in common: the [Rules] that they live by, the [Store], and who
// waits for what. A [Draft] is one session as one request sees it and changes it (draft.go, identity.go, assurance.go,
// view.go). It is found by a ticket or loaded again (load.go), and committed (commit.go): a first record, a save
// (build.go), a touch (touch.go), or a move to a new id (move.go), for which a login needs room (admit.go). What a
// commit left is adopted by the draft that others read meanwhile (adopt.go). A session ends at its next commit
// (end.go), or from outside (revoke.go, list.go); its tombstone says why (reason.go), and those who wait for that are
// told (watch.go). A record that nobody can be sure of is an orphan (orphan.go), requests that met a conflict stand in
// a queue (queue.go), and what has expired is swept (sweep.go). An operator visits many sessions (visit.go). A mark is
// what a store remembers beside sessions (mark.go); a store that hangs is given up (patient.go). Which users and
// clocks a session may have is in user.go and clock.go.
//
// [Records] says where the records are (place.go): stored.go has those in a store, and share.go those that a store in
// the memory of the process shares; package carried has those in tokens. No other file asks which it is.
//
// HTTP, cookies and options are not here; what a session holds is in package data, and what is made of a secret in
// package keys. A draft has no lock: package session guards its own, and commits a copy.
package life
