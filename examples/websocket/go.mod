module github.com/coatcheck/session/examples/websocket

go 1.25.2

require (
	github.com/coatcheck/session v0.1.0
	github.com/coder/websocket v1.8.15
)
