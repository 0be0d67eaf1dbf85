// Package newest marks the context of a load that asks for a record as it is now. A store may keep copies of records,
// which another node's change reaches a moment later: that is soon enough for showing a session, and too late for a
// decision that is final.
package newest
