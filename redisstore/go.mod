module github.com/coatcheck/session/redisstore

go 1.25.2

require (
	github.com/coatcheck/session v0.1.0
	github.com/redis/rueidis v1.0.79
)

require golang.org/x/sys v0.47.0 // indirect
