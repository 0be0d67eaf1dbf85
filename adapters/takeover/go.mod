module github.com/coatcheck/session/adapters/takeover

go 1.25.2

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/coatcheck/session v0.1.0
	github.com/gorilla/securecookie v1.1.2
	github.com/gorilla/sessions v1.4.0
)
