module github.com/coatcheck/session/adapters/oidc

go 1.25.2

require (
	github.com/coatcheck/session v0.1.0
	github.com/coreos/go-oidc/v3 v3.21.0
	github.com/go-jose/go-jose/v4 v4.1.4
)

require golang.org/x/oauth2 v0.36.0 // indirect
