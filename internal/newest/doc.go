// Package newest marks the context of a load that asks for a record as it is now. A store may keep copies of records,
// which another node's change reaches a moment later: to show a session that is early enough, and to decide something
// for good it is not.
package newest
