// Package redisstore keeps sessions in Redis or Valkey, for services that run on several machines.
//
// It is a module of its own, and uses the client github.com/redis/rueidis. The program makes the client, for one
// server, for Sentinel or for a cluster, and keeps it: the store never closes it, and may share it with the rest of the
// program.
//
//	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"127.0.0.1:6379"}})
//	…
//	store, err := redisstore.New(client, redisstore.Options{})
//
// A load, a save and a touch are one round trip each. A conflict brings the newest record with it, so that the next
// attempt needs no load. A save that takes a session off its user's list, as a login, a logout or a renewal does with
// the old id, is two, and so is the delete of a session that is on one, and the save of a new one whose id is taken.
//
// # Servers
//
// Redis 7 or newer, or Valkey; Redis 6.2 knows all commands that are used. Each script touches keys of one slot only,
// so that a cluster may be resharded while it serves. Records are in 256 groups, each with its index in one slot: a
// cluster of more than some thirty shards is not filled evenly. With Sentinel, set
// ClientOption.Sentinel.TopologyRefreshInterval to some seconds, for a client that misses the message of a failover
// writes to the old primary until it ends.
//
// Loads ask the primary. Do not let ClientOption.SendToReplicas send them elsewhere: a replica that lags shows sessions
// that have ended, and conflicts that never end.
//
// A change is not tried again when it is not known whether it ran. One that the server says it has not run (TRYAGAIN,
// BUSY, LOADING, CLUSTERDOWN, MASTERDOWN) is, with short pauses, until the context ends. So is what only reads, and
// that is also repeated on another connection when its own was lost. A server that does not answer at all holds a call
// until its context ends, and without a deadline for ClientOption.ConnWriteTimeout, 10 s by default, a read for two of
// them: set that to what a visitor may wait. A client that is not busy asks its connections once a second whether they
// are alive, or as ClientOption.Dialer.KeepAlive says. A save before that on one that a restarted server has closed
// fails. ClientOption.AlwaysPipelining closes this gap: the client then hears of it at once, and is slower while no two
// requests overlap.
//
// # Memory and eviction
//
// Set maxmemory-policy to noeviction. A server that is full then refuses to store, which is an outage: one 503, and
// nobody is signed out. Sessions can be ended there all the same, for that frees memory: a logout and a revocation
// hold. Every other policy loses what must stay. A volatile one may drop each record, as records have a TTL, and none
// of the indexes, which have none: they fill the memory in the end, everybody is signed out and nobody can sign in. An
// allkeys one may drop an index, and a session is then alive and missing from its user's list: nobody can revoke it
// there.
//
// A record has a TTL, fifteen minutes past the end of its session, and never of more than a hundred years. It is
// counted from the last request, so that the server's clock does not matter. The manager ends sessions on time. The TTL
// frees the record, and a sweep what leads to it: its id, and its entry on the list of its user, however long ago the
// record went. Leave the sweeper of at least one manager on, or sweep by a timer. A save that only moves the end of a
// session leaves the index of what is due as it is; a sweep that meets the session corrects it.
//
// # Durability
//
// A save is complete or did not happen. Whether it stays is the server's configuration, and Redis forgets more than a
// database does. Without appendonly, a restart forgets everything since the last snapshot. With appendonly, appendfsync
// everysec, the default, may lose a second when the machine fails; always loses nothing, and is slower. Replication
// does not wait for the replicas: after a failover, by Sentinel or in a cluster, what the old primary had acknowledged
// last is gone. That may be a session that was just begun, a change, or a logout: a session that somebody ended may
// come back. This store does not use WAIT, which would make it less likely and not impossible. min-replicas-to-write 1
// with a small min-replicas-max-lag keeps a primary that was cut off from acknowledging for long. Where a logout must
// be final whatever fails, keep sessions in sqlstore.
//
// # Caching
//
// With Options.CacheTTL the client keeps what was loaded, and the server tells it of every change, so that most loads
// cost no round trip. A save brings the record that it makes into the cache, with a read that is sent right behind it:
// nobody waits for that, and it costs the server some microseconds. The store reads its own writes, and a save is
// compared with the server's record as ever, so that no write is lost. But a session that was ended through another
// store may still be read here until the server's message has arrived: that takes about as long as a round trip, unless
// the connection hangs; then until the client gives the connection up (ConnWriteTimeout) or the record has been cached
// for CacheTTL, whichever is first. CacheTTL is the bound: choose seconds. Where Session.Done is waited for, a session
// that the store was told of is not read from the cache either. That this store has written a record is remembered for
// up to twice CacheTTL. Caching needs RESP3, and a client without DisableCache.
//
// # Access
//
// A user of the server needs, with the prefix "session:",
//
//	ACL SETUSER app on >password resetkeys ~session:* +get +getrange +setrange +set +del +exists +persist
//	    +pexpire +pttl +time +zadd +zrem +zrangebylex +zrangebyscore +hset +hget +hgetall +hdel +hexists +hlen
//	    +scan +eval +evalsha +publish +subscribe &session:ended
//	    +hello +ping +client +multi +exec +cluster|slots +cluster|shards +info
//
// where the last line is the client's own; multi and exec are for caching in a cluster only. The line before it is for
// Session.Done alone: without it managers ask for sessions that another one ended. SCAN is for what stores before
// v0.1.0 left on the lists of users.
//
// # Keys
//
// Behind the prefix, s{xx}id is a record, i{xx} the ids of its group and d{xx} when something is to be done about them,
// where xx is the first byte of the id's SHA-256; u{hash} is the list of a user. Ids and users are any bytes. e{xx} is
// what d{xx} was before v0.1.0, and empties itself. To end sessions by hand, use Manager.RevokeUser: a record that is
// deleted with DEL is gone for good too, and the indexes notice when it would have ended, or when its user is listed.
package redisstore
