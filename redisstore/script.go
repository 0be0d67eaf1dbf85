package redisstore

import (
	"crypto/sha1" //nolint:gosec // the name by which the server knows a script; it guards nothing
	_ "embed"
	"encoding/hex"
)

// The scripts are in lua/. All keys of a call lie in one slot, and a script changes everything that it is to change or
// nothing: the server refuses it before the first write or not at all.
var (
	//go:embed lua/replace.lua
	replaceText string
	//go:embed lua/touch.lua
	touchText string
	//go:embed lua/remove.lua
	removeText string
	//go:embed lua/drop.lua
	dropText string
	//go:embed lua/enlist.lua
	enlistText string
	//go:embed lua/unlist.lua
	unlistText string
	//go:embed lua/tidy.lua
	tidyText string
	//go:embed lua/admit.lua
	admitText string

	replaceScript = newScript(replaceText)
	touchScript   = newScript(touchText)
	removeScript  = newScript(removeText)
	dropScript    = newScript(dropText)
	enlistScript  = newScript(enlistText)
	unlistScript  = newScript(unlistText)
	tidyScript    = newScript(tidyText)
	admitScript   = newScript(admitText)
)

// script is sent by its name, and whole only to a server that does not know it: at first, and after it was restarted.
type script struct{ text, name string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
	return &script{text: text, name: hex.EncodeToString(sum[:])}
}

func (s *script) call(keys []string, args ...string) command {
	return command{script: s, key: keys[0], more: keys[1:], args: args}
}
