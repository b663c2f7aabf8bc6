package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A list has two lines for each file: a comment with its size in bytes and the time of its last change in nanoseconds, and
// what sha256sum writes. A file that is there twice is as the later entry has it.

// entry is a file's part of a list.
func entry(f File) string {
	name, mark := f.Path, ""
	if strings.ContainsAny(name, "\n\r\\") { // as sha256sum has it
		name, mark = escape.Replace(name), `\`
	}
	return fmt.Sprintf("# %d %d\n%s%s  %s\n", f.Size, f.Time.UnixNano(), mark, f.Sum, name)
}

var (
	escape   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

// readList returns the files of a list, by path; none if there is no list yet. A last entry that was being written when
// the program was killed is no entry.
func readList(list string) (map[string]File, error) {
	files := map[string]File{}
	text, err := os.Open(list)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, err
	}
	defer text.Close()
	var about File
	lines := bufio.NewReader(text)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return files, nil
		}
		line = strings.TrimSuffix(line, "\n")
		var nanoseconds int64
		if n, _ := fmt.Sscanf(line, "# %d %d", &about.Size, &nanoseconds); n == 2 {
			about.Time = time.Unix(0, nanoseconds)
			continue
		}
		sum, name, ok := strings.Cut(line, "  ")
		if rest, escaped := strings.CutPrefix(sum, `\`); escaped {
			sum, name = rest, unescape.Replace(name)
		}
		if ok && len(sum) == 64 {
			files[name] = File{name, about.Size, about.Time, sum}
		}
		about = File{}
	}
}

// appendTo opens a list to add to it, on a line of its own.
func appendTo(list string) (*os.File, error) {
	w, err := os.OpenFile(list, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	if info, err := w.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if w.ReadAt(last, info.Size()-1); last[0] != '\n' {
			w.WriteString("\n")
		}
	}
	return w, nil
}

// tidy writes a list anew, in order, each file once, and without those that are gone. It returns how many are left.
func tidy(root, list string) (int, error) {
	files, err := readList(list)
	if err != nil {
		return 0, err
	}
	maps.DeleteFunc(files, func(path string, _ File) bool {
		_, err := os.Lstat(filepath.Join(root, path))
		return errors.Is(err, fs.ErrNotExist)
	})
	next := list + ".new"
	w, err := os.Create(next)
	if err != nil {
		return 0, err
	}
	text := bufio.NewWriter(w)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		text.WriteString(entry(files[path]))
	}
	if err := errors.Join(text.Flush(), w.Close()); err != nil {
		return 0, err
	}
	return len(files), os.Rename(next, list)
}
