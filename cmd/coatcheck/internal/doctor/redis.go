package doctor

import (
	"context"
	"strings"
	"time"
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
