// Package data is what a session holds: values under paths, the operations that change them, flash data that go with
// the next request, and values of one request only. [Doc] is all of it together. A [State] keeps its values encoded,
// and decodes only what is asked for; an [Op] is remembered, so that a commit that meets a conflict does it again on
// what another request has left.
//
// It knows no request, no record, no ticket and no manager: a caller gives it the [Rules], parses an envelope for it,
// and stores what [State.Append] makes. Nothing here has a lock.
package data
