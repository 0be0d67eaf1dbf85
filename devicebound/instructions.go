package devicebound

import (
	"encoding/json"
	"net/http"
)

// instructions are what the browser is told of the session.
type instructions struct {
	ID          string       `json:"session_identifier"`
	RefreshURL  string       `json:"refresh_url"`
	Scope       scope        `json:"scope"`
	Credentials []credential `json:"credentials"`
	Initiators  []string     `json:"allowed_refresh_initiators,omitempty"`
}

type scope struct {
	IncludeSite bool   `json:"include_site"`
	Rules       []rule `json:"scope_specification"`
}

type rule struct {
	Type   string `json:"type"`
	Domain string `json:"domain"`
	Path   string `json:"path"`
}

type credential struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Attributes string `json:"attributes"`
}

// instruct sends them with every proof, so that a browser learns of other options.
func (x *exchange) instruct(of *binding) {
	b := x.b
	i := instructions{
		ID: of.name(), RefreshURL: b.opts.RefreshPath, Initiators: b.opts.RefreshInitiators,
		Scope:       scope{Rules: []rule{{"exclude", "*", b.opts.RegisterPath}}},
		Credentials: []credential{{"cookie", b.opts.CookieName, b.opts.attributes()}},
	}
	for _, path := range b.opts.Exclude {
		i.Scope.Rules = append(i.Scope.Rules, rule{"exclude", "*", path})
	}
	text, _ := json.Marshal(i) // never fails: it is texts alone
	x.w.Header().Set("Content-Type", "application/json")
	x.answer(http.StatusOK)
	_, _ = x.w.Write(text)
}
