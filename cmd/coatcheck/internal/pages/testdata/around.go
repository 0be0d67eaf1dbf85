// Package fragment is what a piece of Go in a page finds around it when it is no whole file.
package fragment

import (
	"context"
	"database/sql"
	"html/template"
	"net/http"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

var (
	ctx      context.Context
	db       *sql.DB
	store    session.Store
	secrets  []session.Secret
	sessions *session.Manager
	opts     session.Options
	g        *guard.Guard
	mux      *http.ServeMux
	err      error

	w    http.ResponseWriter
	r    *http.Request
	s    *session.Session
	page *template.Template

	app, account, admin http.Handler
	address, user       string
)

// passwordIsRight asks the application.
func passwordIsRight(user, password string) bool { return user == password }

// codeIsRight asks the application.
func codeIsRight(user, code string) bool { return user == code }

// setPassword is the application's.
func setPassword(user, password string) error { return nil }

// isCustomer asks the application.
func isCustomer(user string) bool { return user != "" }

// mail sends a message.
func mail(user, text string) {}
