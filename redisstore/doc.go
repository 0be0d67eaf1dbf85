// Package redisstore keeps sessions in Redis or Valkey, for services that run on several machines.
//
// It is a module of its own, and uses the client github.com/redis/rueidis. The program makes the client, for one
// server, for Sentinel or for a cluster, and owns it: the store never closes it, and may share it with the rest of the
// program.
//
//	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"127.0.0.1:6379"}})
//	…
//	store, err := redisstore.New(client, redisstore.Options{})
//
// A load, a save and a touch are one round trip each. A conflict brings the newest record with it, so the next attempt
// needs no load. A save that takes a session off its user's list, as a login, a logout or a renewal does with the old
// id, takes two, and so does deleting a session that is on such a list, or saving a new one whose id is taken.
//
// # Servers
//
// Use Redis 7 or newer, or Valkey; Redis 6.2 knows all the commands, too. Each script touches keys of a single slot, so
// a cluster may be resharded while it serves. If the move of a slot breaks off halfway, some of its sessions can be
// read and not ended until you finish it, for example with redis-cli --cluster fix. Records are in 256 groups, each
// with its index in one slot, so a cluster of more than some thirty shards is not filled evenly. With Sentinel, set
// ClientOption.Sentinel.TopologyRefreshInterval to a few seconds, because a client that misses the message of a
// failover writes to the old primary until the program ends.
//
// Loads ask the primary. Do not let ClientOption.SendToReplicas send them elsewhere: a replica that lags shows sessions
// that have ended, and leads to conflicts that never end.
//
// A change is not repeated if nobody knows whether it ran. A create that has begun goes on when its context is
// cancelled, but not beyond its deadline. If the server says that it has not run it (TRYAGAIN, BUSY, LOADING,
// CLUSTERDOWN, MASTERDOWN), it is repeated, with short pauses, until the context ends, but for five seconds at most if
// that has no deadline. So is a change that was never sent, because the caller before it on the connection gave up, and
// anything that only reads, which is also repeated on another connection if its own was lost. A server that does not
// answer at all holds a call until its context ends. Without a deadline, it holds a call for
// ClientOption.ConnWriteTimeout, 10 s by default, and a read for twice that: set it to what a visitor may wait. An idle
// client checks its connections once a second, or as ClientOption.Dialer.KeepAlive says. A save that comes before this
// check, on a connection that a restarted server has closed, fails. ClientOption.AlwaysPipelining closes this gap: the
// client then hears of it at once, but is slower while no two requests overlap.
//
// # Memory and eviction
//
// Set maxmemory-policy to noeviction. A full server then refuses to store anything, which is an outage: sign-ins and
// changes get a 503. Nobody is signed out, because a touch needs no memory and still succeeds. Sessions can still be
// ended, because that frees memory: a logout and a revocation hold. Every other policy loses what must stay. A volatile
// policy may drop any record, because records have a TTL, but none of the indexes, which have none: in the end these
// fill the memory, so that everybody is signed out and nobody can sign in. An allkeys policy may drop an index, which
// leaves a session alive and missing from its user's list, so nobody can revoke it there.
//
// A record has a TTL until fifteen minutes past the end of its session, but of a hundred years at most. It is counted
// from the last request, so the server's clock does not matter. The manager ends sessions on time; the TTL frees the
// record. A sweep frees what leads to the record, which is its id and its entry on the list of its user, however long
// ago the record went. Leave the sweeper of at least one manager on, or sweep from a timer. A save that only moves the
// end of a session leaves the index of what is due as it is; a sweep that meets the session corrects it.
//
// # Durability
//
// A save is complete or did not happen. Whether it stays depends on the configuration of the server, and Redis forgets
// more than a database does. Without appendonly, a restart forgets everything since the last snapshot. With appendonly,
// appendfsync everysec, the default, may lose a second if the machine fails; always loses nothing, but is slower.
// Replication does not wait for the replicas: after a failover, by Sentinel or in a cluster, whatever the old primary
// acknowledged last is gone. That may be a session that has just begun, a change, or a logout, so a session that
// somebody ended may come back. In a cluster, a session and the list of its user may be on different shards. If the
// shard of the list fails, a session that has just begun may live on without being listed, so that RevokeUser does not
// find it. A sweep puts it back on the list when the end that it had at first is over, and Manager.All at once: after a
// failover in a cluster, walk through All, as "coatcheck session stats" does. This store does not use WAIT, which would
// make all this less likely, but not impossible. min-replicas-to-write 1 with a small min-replicas-max-lag keeps a
// primary that was cut off from acknowledging for long. If a logout must be final whatever fails, keep sessions in
// sqlstore.
//
// # Caching
//
// With Options.CacheTTL the client keeps what was loaded, and the server tells it of every change, so most loads cost
// no round trip. A save brings the record that it makes into the cache, with a read that is sent right behind it:
// nobody waits for that, and it costs the server a few microseconds. The store reads its own writes, and a save is
// compared with the server's record as always, so no write is lost. But a session that was ended through another store
// may still be read here until the server's message has arrived. That takes about as long as a round trip. If the
// connection hangs, it takes until the client gives up the connection (ConnWriteTimeout) or the record has been cached
// for CacheTTL, whichever comes first. CacheTTL is the limit, so choose a few seconds. Revocations and limits ask the
// server. While somebody waits for Session.Done, a session that the store was told has ended is not read from the cache
// either. The store remembers for up to twice CacheTTL that it has written a record. Caching needs RESP3, and a client
// without DisableCache.
//
// Caching takes memory on both sides. The server notes which ids a client has asked for, until their records change or
// go. An id without a record stays noted: that of a session that is over, if its ticket still comes, and almost every
// id if the store is the Revocations of cookiestore. A note takes about 120 bytes, which count towards maxmemory, and
// there are at most tracking-table-max-keys of them, a million by default. The client does not use what is older than
// CacheTTL, but holds it until the record changes or ClientOption.CacheSizeEachConn is full, 128 MiB for each
// connection by default. You may lower both limits: what does not fit is asked for again.
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
// The last line is for the client itself; multi and exec are only for caching in a cluster. The line before it is only
// for Session.Done: without it, managers ask which sessions another one ended. SCAN is for what stores before v0.1.0
// left on the lists of users.
//
// # Keys
//
// After the prefix, s{xx}id is a record, i{xx} has the ids of its group and d{xx} the times at which each of them is
// due, where xx is the first byte of the id's SHA-256; u{hash} is the list of a user. Ids and users are any bytes.
// e{xx} is what d{xx} was called before v0.1.0, and empties itself. To end sessions by hand, use Manager.RevokeUser: a
// record that is deleted with DEL is gone for good too, and the indexes notice when it would have ended, or when its
// user is listed.
package redisstore
