//go:build linux

package main

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The pictures have no background and middle tones, so that they can be read on a light page and on a dark one.
var (
	ink   = color.RGBA{0x80, 0x88, 0x90, 0xff}
	tones = []color.RGBA{{0x2f, 0x81, 0xb7, 0xff}, {0xc9, 0x5f, 0x3f, 0xff}, {0x5a, 0x9a, 0x4a, 0xff},
		{0xa0, 0x6a, 0xb4, 0xff}, {0xb8, 0x8a, 0x2a, 0xff}, {0x3f, 0xa3, 0xa0, 0xff}}
	dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}}
)

// picture is a chart with its file.
type picture struct {
	file, title, x, y string
	curves            func(*results) []curve
	low               bool // the names are at the bottom right, where there is no curve
}

var charts = []picture{
	{"bench-keys.svg", "One key of a session with many, in memory", "keys in the session", "µs for a request",
		func(r *results) []curve { return r.keys }, false},
	{"bench-sessions.svg", "A read among many sessions", "sessions in the store", "µs for a request",
		func(r *results) []curve { return r.sessions }, false},
	{"bench-clients.svg", "Requests of many clients, every fifth a write", "clients at once", "requests in a second",
		func(r *results) []curve { return r.loads }, false},
	{"bench-list.svg", "List all sessions of one user, among 10,000 of others", "sessions of the user", "ms",
		func(r *results) []curve { return r.lists }, true},
	{"bench-revoke.svg", "End all sessions of one user, among 10,000 of others", "sessions of the user", "ms",
		func(r *results) []curve { return r.revokes }, true},
}

func (r *results) draw(folder string) error {
	for _, c := range charts {
		p, err := c.plot(c.curves(r))
		if err != nil {
			return err
		}
		if err := save(p, filepath.Join(folder, c.file)); err != nil {
			return err
		}
	}
	return nil
}

// save leaves room at the right, where half of the last number of the axis stands.
func save(p *plot.Plot, file string) error {
	canvas := vgsvg.New(7*vg.Inch, 4.2*vg.Inch)
	p.Draw(draw.Crop(draw.New(canvas), 0, -vg.Inch/4, 0, 0))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

// plot draws curves on two logarithmic axes.
func (c picture) plot(curves []curve) (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.Title.TextStyle.Color = ink
	p.Legend.TextStyle.Color = ink
	p.Legend.Top, p.Legend.Left = !c.low, true
	if c.low {
		p.Legend.XOffs = 3.9 * vg.Inch
	}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale, axis.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		axis.Color, axis.Label.TextStyle.Color, axis.Tick.Color, axis.Tick.Label.Color = ink, ink, ink, ink
	}
	for i, curve := range curves {
		points := make(plotter.XYs, len(curve.points))
		for n, at := range curve.points {
			points[n] = plotter.XY{X: at.x, Y: at.y}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.file, curve.name, err)
		}
		line.Color, line.Width, line.Dashes = tones[i%len(tones)], vg.Points(2), dashes[i/len(tones)%len(dashes)]
		p.Add(line)
		p.Legend.Add(curve.name, line)
	}
	return p, nil
}

func picturesText(w io.Writer) {
	fmt.Fprint(w, "\n### With more of everything\n")
	for _, c := range charts {
		fmt.Fprintf(w, "\n![%s](images/%s)\n", c.title, c.file)
	}
	fmt.Fprint(w, "\n"+aboutUsers)
}

// aboutUsers explains the last two pictures.
const aboutUsers = `scs has no list of the sessions of a user: its Iterate loads and decodes all sessions that there
are, so it takes as long for a user with one session. coatcheck ends each session with a load, a save and a delete, so
that none escapes under a new id; scs deletes. A curve ends where it would take more than a minute to make the next
sessions.
`
