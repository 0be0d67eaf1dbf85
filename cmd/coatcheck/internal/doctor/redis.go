package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// redis looks at what the server does when its memory is full, and at its clock.
func (p *patient) redis(ctx context.Context) {
	client, err := p.cfg.OpenRedis(ctx)
	if err != nil {
		p.add("redis", false, Fail, err.Error())
		return
	}
	defer client.Close()
	before := time.Now()
	parts, err := client.Do(ctx, client.B().Time().Build()).AsIntSlice()
	after := time.Now()
	if err != nil || len(parts) != 2 {
		p.add("clock", false, Warn, "the server does not tell its time; allow the command TIME for this user")
	} else {
		p.skew(time.Unix(parts[0], parts[1]*1000), before, after)
	}
	info, err := client.Do(ctx, client.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		p.add("eviction", false, Warn, "the server does not tell its policy; allow the command INFO for this user")
		return
	}
	p.memory(fieldsOf(info))
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
		p.add("ttl", false, Warn, "it cannot be looked up, perhaps because this user may not use the command PTTL: "+err.Error())
		return
	}
	p.add("ttl", kept == 0, Warn, fmt.Sprintf("%d of %d records that end have no time to live; they stay until a sweep, or the next save, gives them one", kept, len(recs)))
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

func (p *patient) memory(info map[string]string) {
	policy := info["maxmemory_policy"]
	p.add("eviction", policy == "noeviction", Warn, "maxmemory-policy is "+policy+"; noeviction is good: another one signs people out when memory is short")
	p.add("memory", info["maxmemory"] != "0", Warn, "maxmemory is "+info["maxmemory_human"]+
		"; set one below the memory of the machine, so that the server refuses writes before the system stops it")
}
