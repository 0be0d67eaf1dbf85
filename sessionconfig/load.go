package sessionconfig

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
)

// layer is one file, or the environment, which may have several trees.
type layer struct {
	number int
	source string // "" for the environment, where each key has its own
	tree   map[string]any
}

// item is a key of ours with its value, and how both stand where they were found.
type item struct {
	layer  int
	source string
	shown  string // the key as it stands there
	key    string // ours
	star   string // what stands for "*" in it
	entry  *entry
	value  any
}

// Load reads the files, later ones over earlier ones, and the environment over them all. Without files it reads only
// the environment. The error joins a [Problem] for each mistake. Load opens no store and reads no secret.
func Load(paths ...string) (*Config, error) {
	var layers []layer
	var problems []*Problem
	for _, path := range paths {
		tree, problem := readFile(path)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		layers = append(layers, layer{len(layers) + 1, path, tree})
	}
	trees, secrets := readEnvironment(os.Environ())
	for _, tree := range trees {
		layers = append(layers, layer{len(paths) + 1, "", tree})
	}
	b := &builder{cfg: &Config{logLevel: slog.LevelWarn}, set: map[string]int{}, listed: map[string]bool{},
		problems: problems}
	b.build(layers, secrets)
	if len(b.problems) > 0 {
		return nil, join(b.problems)
	}
	return b.cfg, nil
}

func join(problems []*Problem) error {
	sortProblems(problems)
	var errs []error
	for i, p := range problems {
		if i == 0 || *p != *problems[i-1] {
			errs = append(errs, p)
		}
	}
	return errors.Join(errs...)
}

// builder turns layers into a configuration, and gathers what is wrong with them.
type builder struct {
	cfg      *Config
	preset   *preset
	set      map[string]int // our keys, and the layer that set each last
	from     map[string]Setting
	listed   map[string]bool // groups whose keys an error has told
	problems []*Problem
}

func (b *builder) refuse(source, key, found, want string) {
	b.problems = append(b.problems, &Problem{source, key, found, want})
}

func (b *builder) build(layers []layer, secrets string) {
	b.from = map[string]Setting{}
	b.choosePreset(layers)
	for _, l := range layers {
		for _, it := range b.items(l) {
			b.apply(it)
		}
	}
	if secrets != "" {
		b.cfg.secrets = source{text: secrets}
		b.from["secrets"] = Setting{"secrets", "[secret]", "SESSION_SECRETS"}
	}
	if b.preset != nil && b.preset.finish != nil {
		b.preset.finish(b)
	}
	if len(b.problems) > 0 {
		return // what follows would only repeat it
	}
	b.finish()
	b.check()
}

// finish fills in what several keys decide together.
func (b *builder) finish() {
	c := b.cfg
	c.Options.Skip = skip(c.skips)
	if len(c.proxies) > 0 {
		c.Options.ClientIP = session.ClientIPFrom(c.proxies...)
	}
	if c.assurance != nil {
		b.assure()
	}
	c.Options.Logger = c.logger(os.Stderr)
	if c.reload {
		c.Options.SecretSource = c.Secrets
	}
	for _, key := range names(b.from) {
		c.settings = append(c.settings, b.from[key])
	}
}

// apply sets a key.
func (b *builder) apply(it item) {
	b.replace(it)
	if err := it.entry.set(b.cfg, it.star, it.value); err != nil {
		found := show(it.value)
		if it.entry.hidden || hides(it.key) {
			found = ""
		}
		b.refuse(it.source, it.shown, found, err.Error()+"use "+it.entry.Allowed)
		return
	}
	b.note(it)
}

// note remembers who set a key, and shows it.
func (b *builder) note(it item) {
	key := strings.Replace(it.key, "*", it.star, 1)
	b.set[key] = it.layer
	value := cut(fmt.Sprint(it.value))
	if it.entry.hidden {
		value = "[secret]"
	}
	b.from[key] = Setting{key, value, it.source}
	if it.source == environment {
		b.from[key] = Setting{key, value, it.shown}
	}
}

// derive sets a key that follows from others, unless a file or the environment set it.
func (b *builder) derive(key, value, from string) {
	if b.set[key] > 0 {
		return
	}
	e, _, _ := find(strings.Split(key, "."))
	b.apply(item{source: from, shown: key, key: key, entry: e, value: value})
}

// check lets the session package judge the options, so that Load reports a mistake under the name of its key.
func (b *builder) check() {
	b.checkSources()
	b.checkStore()
	opts := b.cfg.Options
	opts.Secrets, opts.SecretSource = []session.Secret{session.NewSecret()}, nil
	opts.SweepEvery, opts.MaxPerUser, opts.OnError, opts.OnEvent = -1, 0, nil, nil
	m, err := session.New(nullstore.New(), opts)
	if err == nil {
		b.checkDevice(m)
		b.checkGuard(m)
		_ = m.Close()
		return
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		b.explain(strings.TrimPrefix(line, "session: "))
	}
}

// explain puts the name of the key for that of the option.
func (b *builder) explain(line string) {
	option, why, _ := strings.Cut(line, ": ")
	for _, e := range schema {
		if e.Option != option {
			continue
		}
		s, ok := b.from[e.Name]
		if !ok {
			s.From = "the configuration"
		}
		found := ""
		if ok {
			found = show(s.Value)
		}
		b.refuse(s.From, e.Name, found, why)
		return
	}
	b.refuse("the configuration", "", "", line)
}
