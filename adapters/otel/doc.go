// Package otelsession tells OpenTelemetry what sessions cost and what becomes of them. A site needs three lines more
// than it has:
//
//	telemetry, err := otelsession.New(otelsession.Options{})
//
//	sessions, err := session.New(telemetry.Store(store), session.Options{
//		OnEvent: telemetry.Events(nil), OnError: telemetry.Errors(nil),
//	})
//
//	handler = telemetry.Middleware(sessions.Middleware)(handler)
//
// The spans are "coatcheck commit", which is how long a response waits for its session to be stored, and one for each
// call to the store: load, save, touch, delete, list_user, list_page and sweep. They have session.id, and
// session.previous_id where a session goes on under a new id, as OpenTelemetry's semantic conventions name them. The
// status of these two there is "development", so they may change. Their value is [session.Session.ID], which is of no
// use to a thief. A record that is not a session, such as a count of guard.Rate, has an id of the same form.
//
// The metrics, whose names and attributes are as stable as the API:
//
//	coatcheck.requests          counter, by coatcheck.outcome: untouched, read, touched, written, or a refusal
//	coatcheck.commit.duration   histogram in seconds, by coatcheck.outcome: ok, or a refusal
//	coatcheck.store.duration    histogram in seconds, by coatcheck.operation and coatcheck.outcome: ok, not_found,
//	                            conflict, too_many, corrupt, not_supported, canceled, timeout, unavailable
//	coatcheck.sessions.begun    counter of sessions that were stored for the first time
//	coatcheck.sessions.ended    counter, by coatcheck.reason: those of session.Reason, or none
//	coatcheck.conflicts         counter of changes that were merged with those of another request
//	coatcheck.events            counter of every other kind of event, by coatcheck.kind and coatcheck.reason
//
// A refusal is ended, too_many, unavailable, conflict, canceled, timeout or failed. A call to the store that fails and
// costs the visitor nothing, such as a touch, is in coatcheck.store.duration alone. One that fails while the handler
// runs, such as a load, counts as a refusal if the response is then an error of the server. A word that package session
// does not define is counted as _OTHER, so that the number of time series is bounded whatever a client sends.
//
// No ticket, value, user, address or text of an error is in a span or a metric. The manager's log has the texts.
package otelsession
