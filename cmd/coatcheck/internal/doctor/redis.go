package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig/redis"
)

// redis looks at each server that takes writes: what it does when its memory is full, what is left after a restart, and
// at its clock.
func (p *patient) redis(ctx context.Context) {
	client, err := redis.Open(ctx, p.cfg)
	if err != nil {
		p.add("redis", false, Fail, err.Error(), "")
		return
	}
	defer client.Close()
	before := time.Now()
	parts, err := client.Do(ctx, client.B().Time().Build()).AsIntSlice()
	after := time.Now()
	if err != nil || len(parts) != 2 {
		p.add("clock", false, Warn, "the server does not say what time it is", "allow the command TIME for this user")
	} else {
		p.skew(time.Unix(parts[0], parts[1]*1000), before, after)
	}
	nodes := client.Nodes()
	for _, addr := range sortedKeys(nodes) {
		if p.node = ""; len(nodes) > 1 {
			p.node = addr
		}
		node := nodes[addr]
		p.redisNode(func() (string, error) { return node.Do(ctx, node.B().Info().Build()).ToString() },
			func(name string) (map[string]string, error) {
				return node.Do(ctx, node.B().ConfigGet().Parameter(name).Build()).AsStrMap()
			})
	}
	p.node = ""
}

func sortedKeys[T any](m map[string]T) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

func (p *patient) redisNode(info func() (string, error), config func(string) (map[string]string, error)) {
	text, err := info()
	if err != nil {
		p.add("server", false, Warn, "the server does not report its state: "+err.Error(),
			"allow the command INFO for this user")
		return
	}
	fields := fieldsOf(text)
	if fields["role"] != "master" && fields["redis_mode"] == "cluster" {
		return // its primary is another node
	}
	p.role(fields)
	p.memory(fields)
	set, err := config("save") // which many hosts of Redis refuse
	save, knows := set["save"]
	if knows = knows && err == nil; !knows && number(fields["rdb_saves"]) > 0 {
		save, knows = "sometimes", true
	}
	set, _ = config("appendfsync")
	p.persistence(fields, save, knows, set["appendfsync"])
}

func (p *patient) role(info map[string]string) {
	found := "the server is the primary"
	if info["role"] != "master" {
		found = fmt.Sprintf("the server is a replica of %s:%s", info["master_host"], info["master_port"])
	}
	p.add("role", info["role"] == "master", Fail, found, p.dsn()+": name the primary, or Sentinel with master_set")
}

// memory looks at what happens when there is no more.
func (p *patient) memory(info map[string]string) {
	policy := info["maxmemory_policy"]
	p.add("eviction", policy == "noeviction", Fail, "maxmemory-policy is "+policy,
		"it drops sessions, or the lists that lead to them, when memory is short: set noeviction")
	limit, used := number(info["maxmemory"]), number(info["used_memory"])
	otherwise, advice := Warn, "set it below the memory of the machine, so that the server refuses writes before "+
		"the system stops it"
	switch {
	case limit > 0 && used >= limit:
		otherwise, advice = Fail, "it is full and takes no writes: raise maxmemory"
	case limit > 0:
		advice = "it is nearly full: raise maxmemory"
	}
	found := fmt.Sprintf("maxmemory is %s, and %s are used", info["maxmemory_human"], info["used_memory_human"])
	p.add("memory", limit > 0 && used < limit/10*9, otherwise, found, advice)
}

// persistence looks at what is left after a restart. knows says whether the server told when it writes snapshots.
func (p *patient) persistence(info map[string]string, save string, knows bool, fsync string) {
	const name, back = "persistence", "a restart signs people out, and brings back sessions that had ended: "
	switch {
	case info["aof_enabled"] == "1" && info["aof_last_write_status"] == "err":
		p.add(name, false, Fail, "the append-only file cannot be written", "look at its disk")
	case info["aof_enabled"] == "1":
		p.add(name, fsync != "no", Warn, "appendonly is yes, and appendfsync is "+cmp.Or(fsync, "unknown"),
			"set appendfsync everysec, or always")
	case knows && save == "":
		p.add(name, false, Fail, "appendonly is no, and there are no snapshots",
			"a restart forgets every session: set appendonly yes")
	case knows:
		p.add(name, false, Warn, "appendonly is no, and there are snapshots only", back+"set appendonly yes")
	default:
		p.add(name, false, Warn, "appendonly is no, and the server does not say whether it writes snapshots",
			back+"set appendonly yes")
	}
}

// remainder is a store that knows how long its server keeps a record.
type remainder interface {
	session.Lister
	Remaining(ctx context.Context, id string) (time.Duration, error)
}

// looks is how many records are looked at. Their ids are hashes, so that these are as good as any.
const looks = 100

// endings looks whether the server will drop the records that end.
func (p *patient) endings(ctx context.Context, store session.Store) {
	r, ok := store.(remainder)
	if !ok {
		return
	}
	recs, err := r.Page(ctx, "", looks)
	kept := 0
	for _, rec := range recs {
		left, failed := r.Remaining(ctx, rec.ID)
		if errors.Is(failed, session.ErrNotFound) {
			continue // its time was over
		}
		if err = errors.Join(err, failed); failed == nil && left < 0 && !rec.ExpiresAt.IsZero() {
			kept++
		}
	}
	if err != nil {
		p.add("ttl", false, Warn, "it could not be checked, perhaps because this user may not use PTTL: "+err.Error(),
			"")
		return
	}
	p.add("ttl", kept == 0, Warn, fmt.Sprintf("%d of %d records that end have no time to live", kept, len(recs)),
		"they stay until a sweep, or the next save, gives them one")
}

// fieldsOf reads the lines "name:value" of INFO.
func fieldsOf(info string) map[string]string {
	fields := map[string]string{}
	for line := range strings.SplitSeq(info, "\n") {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}
