package devicebound

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// challengeLife is how long a challenge is good.
const challengeLife = 5 * time.Minute

// skew is how far ahead the clock of the node may be that made a challenge.
const skew = time.Minute

// purpose is what a challenge is for. A proof for one is none for the other.
type purpose string

const (
	forRegistration purpose = "coatcheck v1 bind a device"
	forRefresh      purpose = "coatcheck v1 prove a device"
)

// reason is an error of a protocol that tells what is wrong, and nothing of what was sent.
type reason string

func (r reason) Error() string { return "devicebound: " + string(r) }

const (
	errSpent   reason = "the challenge was used already, or is older than one that was"
	errStale   reason = "the challenge is older than 5 minutes"
	errForeign reason = "the challenge is not of this session, or not for this"
)

const (
	nonceSize = 16
	macSize   = 16
)

// challenge is a random number that was made at a time. The server keeps none: the session's secret vouches for it.
type challenge struct {
	nonce [nonceSize]byte
	at    int64
}

var challengeText = base64.RawURLEncoding.Strict()

// issue makes a challenge. Each is later than any that was used, even when the clock stands still, so that none is
// refused for being as old as one.
func (b *binding) issue(p purpose, now time.Time) string {
	c := challenge{at: max(now.UnixMicro(), b.latest()+1)}
	_, _ = rand.Read(c.nonce[:]) // never fails: crypto/rand ends the program first
	return challengeText.EncodeToString(b.vouch(p, c))
}

// vouch is the challenge with the MAC that makes it this session's.
func (b *binding) vouch(p purpose, c challenge) []byte {
	raw := binary.BigEndian.AppendUint64(append(make([]byte, 0, 64), c.nonce[:]...), uint64(c.at))
	mac := hmac.New(sha256.New, b.secret[:])
	mac.Write([]byte(p))
	mac.Write(raw)
	var sum [sha256.Size]byte
	return append(raw, mac.Sum(sum[:0])[:macSize]...)
}

// check reads a challenge that came back, and says what is wrong with it. Whether it was used is for spend to say.
func (b *binding) check(p purpose, text string, now time.Time) (challenge, error) {
	var c challenge
	raw, err := challengeText.DecodeString(text)
	if err != nil || len(raw) != nonceSize+8+macSize || len(text) != challengeText.EncodedLen(len(raw)) {
		return c, errForeign
	}
	copy(c.nonce[:], raw)
	c.at = int64(binary.BigEndian.Uint64(raw[nonceSize:]))
	if !hmac.Equal(b.vouch(p, c), raw) {
		return c, errForeign
	}
	// Where the clock is behind what the session has seen, it was put back: to wait for it would sign people out.
	at := max(now.UnixMicro(), b.latest())
	if age := time.Duration(at-c.at) * time.Microsecond; age > challengeLife || age < -skew {
		return c, errStale
	}
	return c, nil
}

// latest is the time of the latest challenge that was used.
func (b *binding) latest() int64 {
	if n := len(b.spent); n > 0 {
		return max(b.floor, b.spent[n-1].at)
	}
	return b.floor
}
