// Package session keeps HTTP sessions. A visitor gets a ticket, a signed cookie; the server keeps the coat, the data.
package session
