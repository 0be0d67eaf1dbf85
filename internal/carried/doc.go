// Package carried is the other place for records: with the clients. The whole record is sealed in the token that a
// client has (token.go), and each change makes a new token. The store knows only which ids were retired, if it
// remembers anything: whoever shows a token is asked about there (look.go), and whoever ends a session notes it there
// (end.go).
//
// It implements Records of package life, whose rules hold for both places. Cookies, and how many of them a token fills,
// are not here, and neither is the store: that is cookiestore.
package carried
