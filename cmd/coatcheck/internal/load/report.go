package load

import (
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what Run measured.
type Report struct {
	Clients    int         `json:"clients"`
	Sessions   int         `json:"sessions"`
	Size       int         `json:"size"`
	Operations []Operation `json:"operations"`
}

// Operation is one kind of operation. Times are in nanoseconds.
type Operation struct {
	Kind      string        `json:"kind"`
	Count     int64         `json:"count"`
	PerSecond float64       `json:"per_second"` // while the clients did this, reads and writes at the same time
	Median    time.Duration `json:"median_ns"`
	P99       time.Duration `json:"p99_ns"`
	P999      time.Duration `json:"p999_ns"`
	Max       time.Duration `json:"max_ns"`
	Histogram []Bucket      `json:"histogram"`
}

// Bucket is how many operations took less than so long, and at least half of that.
type Bucket struct {
	Below time.Duration `json:"below_ns"`
	Count int64         `json:"count"`
}

// times are how long operations took, by kind.
type times map[string]*hdrhistogram.Histogram

const (
	shortest = int64(100 * time.Nanosecond)
	longest  = int64(time.Minute) // what takes longer counts as so long
	digits   = 3
)

func (t times) add(kind string, d time.Duration) {
	h := t[kind]
	if h == nil {
		h = hdrhistogram.New(shortest, longest, digits)
		t[kind] = h
	}
	_ = h.RecordValue(min(int64(d), longest)) // it is in the range
}

// newReport sums up. lasted is how long all clients together did each kind of operation.
func newReport(clients []*client, lasted map[string]time.Duration) *Report {
	all, held := times{}, 0
	for _, c := range clients {
		held += len(c.held)
		for kind, h := range c.times {
			if all[kind] == nil {
				all[kind] = hdrhistogram.New(shortest, longest, digits)
			}
			all[kind].Merge(h)
		}
	}
	opts := clients[0].opts
	r := &Report{Clients: opts.Clients, Sessions: held, Size: opts.Size}
	for _, kind := range []string{Create, Read, Write, End} {
		if h := all[kind]; h != nil {
			r.Operations = append(r.Operations, operationOf(kind, h, lasted[kind]))
		}
	}
	return r
}

func operationOf(kind string, h *hdrhistogram.Histogram, lasted time.Duration) Operation {
	return Operation{
		Kind: kind, Count: h.TotalCount(), PerSecond: float64(h.TotalCount()) / lasted.Seconds(),
		Median: time.Duration(h.ValueAtQuantile(50)), P99: time.Duration(h.ValueAtQuantile(99)),
		P999: time.Duration(h.ValueAtQuantile(99.9)), Max: time.Duration(h.Max()),
		Histogram: bucketsOf(h),
	}
}

// bucketsOf puts the times into buckets, each twice as wide as the one before, from the first to the last that has any.
func bucketsOf(h *hdrhistogram.Histogram) []Bucket {
	var list []Bucket
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		below := time.Microsecond << bits.Len64(uint64(bar.To)/uint64(time.Microsecond))
		for len(list) > 0 && list[len(list)-1].Below < below/2 {
			list = append(list, Bucket{Below: list[len(list)-1].Below * 2})
		}
		if len(list) == 0 || list[len(list)-1].Below != below {
			list = append(list, Bucket{Below: below})
		}
		list[len(list)-1].Count += bar.Count
	}
	return list
}
