package dbsc

import (
	"encoding/json"
	"strings"
)

// MaxProof bounds the text of a proof. One with an RSA key of 4096 bits has about 2300 bytes.
const MaxProof = 4096

const (
	errProofSize reason = "the proof is too long"
	errParts     reason = "the proof is no JWT of three parts"
	errType      reason = "the proof is not of the type dbsc+jwt"
	errCritical  reason = "the proof has an extension that must be understood"
	errAlgorithm reason = "the algorithm of the proof is not accepted, or not that of its key"
	errAudience  reason = "the proof is for somebody else"
)

// Proof is what a browser sends to show that it has a key. Nothing of it counts before Verify.
type Proof struct {
	Key       *Key   // that came with it; nil for none
	Challenge string // that was signed

	algorithm string
	audience  []string
	signed    string
	signature []byte
}

// ParseProof reads the text of a proof. Claims and members that are not known are ignored.
func ParseProof(text string) (*Proof, error) {
	if len(text) > MaxProof {
		return nil, errProofSize
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errParts
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = decode(part); err != nil {
			return nil, err
		}
	}
	p := &Proof{signed: parts[0] + "." + parts[1], signature: raw[2]}
	if err := p.readHeader(raw[0]); err != nil {
		return nil, err
	}
	if err := p.readClaims(raw[1]); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Proof) readHeader(raw []byte) error {
	o, err := parseObject(raw)
	if err != nil {
		return err
	}
	if kind, _ := o.text("typ"); kind != "dbsc+jwt" {
		return errType
	}
	if o.has("crit") {
		return errCritical
	}
	if p.algorithm, err = o.text("alg"); err != nil {
		return errAlgorithm
	}
	if o.has("jwk") {
		p.Key, err = parseJWK(o["jwk"])
	}
	return err
}

func (p *Proof) readClaims(raw []byte) error {
	o, err := parseObject(raw)
	if err != nil {
		return err
	}
	if p.Challenge, err = o.text("jti"); err != nil || !o.has("aud") {
		return err
	}
	if p.audience, err = audience(o["aud"]); err != nil {
		return err
	}
	return nil
}

// audience reads a string, or a list of strings.
func audience(raw []byte) ([]string, error) {
	var one string
	var list []string
	switch raw[0] {
	case '"':
		if json.Unmarshal(raw, &one) == nil {
			return []string{one}, nil
		}
	case '[':
		if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			return list, nil
		}
	}
	return nil, errAudience
}

// Verify checks the proof with a key: its algorithm, its signature and, if it names one, its audience, which must be
// one of those given.
func (p *Proof) Verify(k *Key, audience ...string) error {
	if p.algorithm != k.Algorithm() {
		return errAlgorithm
	}
	if err := k.verify(p.signed, p.signature); err != nil {
		return err
	}
	if p.audience == nil {
		return nil
	}
	for _, has := range p.audience {
		for _, want := range audience {
			if has == want {
				return nil
			}
		}
	}
	return errAudience
}
