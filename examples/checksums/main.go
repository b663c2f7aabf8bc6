// Checksums writes the SHA-256 of every file below a folder into a list, in the form of sha256sum, so that "sha256sum -c"
// reads it. The files are shared out among workers: those of this process (-n worker=8), child processes (-processes), or
// workers on other machines that have the same folder mounted (-run worker -at files=tcp://...). Interrupted, or killed,
// it goes on where it was when it is started again: files that are in the list, and have their size and time of change
// still, are passed over. With -check it compares the files with the list instead. -help lists all flags.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/troupe-go/troupe/topology"
)

// File is one to be read.
type File struct {
	Path string // from the folder
	Size int64
	Time time.Time // of its last change
	Sum  string    // that it is to have; empty if it is not known
}

// Sum is what a worker found. If it could not read the file, Failure says why.
type Sum struct {
	File    File
	Sum     string
	Failure string
}

func main() {
	root := flag.String("root", ".", "the folder")
	out := flag.String("out", "SHA256SUMS", "the list")
	check := flag.Bool("check", false, "compare the files with the list, and change nothing")

	t := topology.New("checksums")
	files := topology.Pipe[File](t, "files", "tcp://127.0.0.1:5560")
	sums := topology.Pipe[Sum](t, "sums", "tcp://127.0.0.1:5561")

	topology.Source(t, "walker", files, func(ctx context.Context, emit func(File) error) error {
		known, err := readList(*out)
		if err != nil {
			return err
		}
		if *check {
			return emitList(known, emit)
		}
		return walk(ctx, *root, *out, known, emit)
	})

	topology.Stage(t, "worker", files, sums, func(ctx context.Context, f File) (Sum, error) {
		sum, err := hash(ctx, filepath.Join(*root, f.Path))
		if ctx.Err() != nil {
			return Sum{}, ctx.Err() // another worker does it
		}
		if err != nil {
			return Sum{File: f, Failure: err.Error()}, nil // and so would another fail
		}
		return Sum{File: f, Sum: sum}, nil
	}, topology.Instances(runtime.NumCPU()))

	topology.Sink(t, "writer", sums, func(_ context.Context, all iter.Seq[Sum]) error {
		if *check {
			return compare(all)
		}
		return record(all, *root, *out)
	})

	topology.Main(t)
}

// walk emits all files below root that known doesn't have as they are now, but for the list itself.
func walk(ctx context.Context, root, list string, known map[string]File, emit func(File) error) error {
	self, _ := os.Stat(list)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && os.SameFile(info, self) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f := File{Path: filepath.ToSlash(name), Size: info.Size(), Time: info.ModTime()}
		if k, ok := known[f.Path]; ok && k.Size == f.Size && k.Time.Equal(f.Time) {
			return nil
		}
		return emit(f)
	})
}

func emitList(known map[string]File, emit func(File) error) error {
	for _, f := range known {
		if err := emit(f); err != nil {
			return err
		}
	}
	return nil
}

// hash returns the SHA-256 of a file.
func hash(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, until{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// until is a file that is read until a context ends.
type until struct {
	ctx context.Context
	f   *os.File
}

func (u until) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.f.Read(b)
}

// record writes sums into the list as they come, and orders it at the end.
func record(all iter.Seq[Sum], root, list string) error {
	began := time.Now()
	w, err := appendTo(list)
	if err != nil {
		return err
	}
	files, failed, size := 0, 0, int64(0)
	for s := range all {
		if s.Failure != "" {
			failed++
			fmt.Fprintln(os.Stderr, s.Failure)
			continue
		}
		s.File.Sum = s.Sum
		if _, err := io.WriteString(w, entry(s.File)); err != nil {
			return err
		}
		files++
		size += s.File.Size
	}
	if err := w.Close(); err != nil {
		return err
	}
	total, err := tidy(root, list)
	seconds := time.Since(began).Seconds()
	fmt.Printf("files=%d bytes=%d failed=%d passed_over=%d seconds=%.1f\n", files, size, failed, total-files, seconds)
	return err
}

// compare tells which files don't have the sum that they had.
func compare(all iter.Seq[Sum]) error {
	same, differ, failed := 0, 0, 0
	for s := range all {
		switch {
		case s.Failure != "":
			failed++
			fmt.Fprintln(os.Stderr, s.Failure)
		case s.Sum != s.File.Sum:
			differ++
			fmt.Println("differs:", s.File.Path)
		default:
			same++
		}
	}
	fmt.Printf("same=%d differ=%d failed=%d\n", same, differ, failed)
	if differ+failed > 0 {
		return fmt.Errorf("%d files are not as the list has them", differ+failed)
	}
	return nil
}
