module github.com/coatcheck/session/cmd/demo

go 1.25.2

require github.com/coatcheck/session v0.1.0
