package topology

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/troupe-go/troupe/mailbox/curve"
)

// file is what a configuration file says. A file may leave out whatever is as declared:
//
//	edges:                            # where they are
//	  tasks: tcp://10.0.0.7:5557
//	roles:                            # how many instances run
//	  worker: 4
//	run: [worker]                     # these roles alone
//	processes: false
//	security:
//	  secret: /run/secrets/farm.key   # a file with this process's secret key, 40 characters
//	  peers: [...]                    # public keys that may connect; none: this process's own
//	  binders: {tasks: ...}           # public keys of who binds an edge; none: this process's own
type file struct {
	Edges     map[string]string `yaml:"edges"`
	Roles     map[string]int    `yaml:"roles"`
	Run       []string          `yaml:"run"`
	Processes bool              `yaml:"processes"`
	Security  *struct {
		Secret  string            `yaml:"secret"`
		Peers   []string          `yaml:"peers"`
		Binders map[string]string `yaml:"binders"`
	} `yaml:"security"`
}

// maxFile is the size in bytes of the largest configuration file that is read.
const maxFile = 1 << 20

// ReadConfig returns the options that a configuration file in YAML asks for; the README describes it. A field or name that
// it doesn't know is an error, of ErrOptions; so is a file of more than 1 MiB. A path in it that is not absolute is meant
// from the file's own directory.
func (t *Topology) ReadConfig(path string) (Options, error) {
	var o Options
	f, err := os.Open(path)
	if err != nil {
		return o, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return o, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if len(text) > maxFile {
		return o, fmt.Errorf("%w: %s has more than %d bytes", ErrOptions, path, maxFile)
	}
	o, err = t.parseConfig(text, filepath.Dir(path))
	switch {
	case errors.Is(err, ErrOptions):
		return o, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		return o, fmt.Errorf("%w: %s: %w", ErrOptions, path, err)
	}
	return o, nil
}

func (t *Topology) parseConfig(text []byte, dir string) (o Options, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not a configuration file: %v", r)
		}
	}()
	var c file
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		if unfit := new(yaml.TypeError); errors.As(err, &unfit) {
			for i, text := range unfit.Errors {
				unfit.Errors[i], _, _ = strings.Cut(text, " in type ") // a Go type, of no interest
			}
		}
		return o, err
	}
	if err := d.Decode(new(file)); !errors.Is(err, io.EOF) {
		return o, errors.New("more than one YAML document")
	}
	o = Options{Run: c.Run, Instances: c.Roles, At: c.Edges, Processes: c.Processes}
	wrong := t.checkOptions(o)
	for _, name := range slices.Sorted(maps.Keys(o.At)) {
		if _, err := parsePlaces(o.At[name]); err != nil {
			wrong = append(wrong, fmt.Errorf("edge %s: %w", name, err))
		}
	}
	if c.Security != nil {
		security, err := c.security(dir)
		wrong = append(wrong, err)
		o.Security = security
	}
	return o, errors.Join(wrong...)
}

// security reads the keys. Public keys are in the file itself, the secret one in a file of its own.
func (c *file) security(dir string) (*Security, error) {
	path := c.Security.Secret
	if path == "" {
		return nil, errors.New("security without secret: the path of a file with this process's secret key")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Security{Binders: map[string]curve.Key{}}
	if s.Key, err = curve.ParseSecretKey(strings.TrimSpace(string(secret))); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, text := range c.Security.Peers {
		key, err := curve.ParseKey(text)
		if err != nil {
			return nil, fmt.Errorf("security: peers: %w", err)
		}
		s.Peers = append(s.Peers, key)
	}
	for name, text := range c.Security.Binders {
		if s.Binders[name], err = curve.ParseKey(text); err != nil {
			return nil, fmt.Errorf("security: binders: %s: %w", name, err)
		}
	}
	return s, nil
}

// variable is the environment variable that stands for a flag of [Topology.Flags], such as TROUPE_RUN for -run.
func variable(name string) string { return "TROUPE_" + strings.ToUpper(name) }

// settings takes a variable apart that stands for a flag given several times: name=value,name=value. A value may be several
// endpoints, which have commas in between too.
func settings(text string) (values []string) {
	for one := range strings.SplitSeq(text, ",") {
		if name, _, _ := strings.Cut(one, "="); strings.Contains(name, "://") && len(values) > 0 {
			values[len(values)-1] += "," + strings.TrimSpace(one)
		} else {
			values = append(values, one)
		}
	}
	return values
}

// set gives a flag a value in o. The flags themselves fill the Options that Flags returned, of which o may be a copy.
func (t *Topology) set(o *Options, name, value string) (err error) {
	switch name {
	case "config":
		o.config = value
	case "run":
		return t.setRun(o, value)
	case "n":
		return t.setInstances(o, value)
	case "at":
		return t.setAt(o, value)
	case "processes":
		if o.Processes, err = strconv.ParseBool(value); err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
	case "log":
		return o.level.UnmarshalText([]byte(value))
	}
	return nil
}

// complete fills what flags leave open: from environment variables, which have the flags' values, and then from the
// configuration file.
func (t *Topology) complete(o *Options) error {
	set := map[string]bool{}
	o.flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	for _, name := range []string{"config", "run", "n", "at", "processes", "log"} {
		text := os.Getenv(variable(name))
		if text == "" || set[name] {
			continue
		}
		values := []string{text}
		if name == "n" || name == "at" { // flags that may be given several times
			values = settings(text)
		}
		for _, value := range values {
			if err := t.set(o, name, strings.TrimSpace(value)); err != nil {
				return fmt.Errorf("%w: environment variable %s: %w", ErrOptions, variable(name), err)
			}
		}
	}
	if o.config == "" {
		return nil
	}
	c, err := t.ReadConfig(o.config)
	if err != nil {
		return err
	}
	if len(o.Run) == 0 {
		o.Run = c.Run
	}
	o.Processes = o.Processes || c.Processes && !set["processes"]
	o.Security = c.Security
	for name, n := range c.Instances {
		if _, ok := o.Instances[name]; !ok {
			o.Instances[name] = n
		}
	}
	for name, at := range c.At {
		if _, ok := o.At[name]; !ok {
			o.At[name] = at
		}
	}
	return nil
}
