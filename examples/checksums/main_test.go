package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// tree makes a folder with n files in several folders, and returns it and the path of a list beside it.
func tree(t *testing.T, n int) (root, list string) {
	t.Helper()
	root = t.TempDir()
	for i := range n {
		write(t, filepath.Join(root, fmt.Sprint("d", i%7), fmt.Sprint("file ", i)), strings.Repeat("x", i))
	}
	return root, filepath.Join(t.TempDir(), "sums")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// last is the last line that the program has printed, once it has ended.
func last(t *testing.T, p *program.Process, status int) string {
	t.Helper()
	p.Ends(status, time.Minute)
	lines := strings.Split(strings.TrimSpace(p.Out.String()), "\n")
	return lines[len(lines)-1]
}

func says(t *testing.T, line, want string) {
	t.Helper()
	if !strings.HasPrefix(line, want) {
		t.Errorf("the last line is %q, want %q", line, want)
	}
}

func TestEveryFileIsInTheListOnce(t *testing.T) {
	for _, mode := range []string{"", "-processes"} {
		t.Run(mode, func(t *testing.T) {
			root, list := tree(t, 100)
			odd := "d1/two\nlines \\ and more"
			write(t, filepath.Join(root, odd), "odd")
			p := program.Start(t, strings.Fields("-root "+root+" -out "+list+" -n worker=3 "+mode)...)
			says(t, last(t, p, 0), "files=101 bytes=4953 failed=0 passed_over=0 ")
			files, err := readList(list)
			if err != nil || len(files) != 101 {
				t.Fatalf("%d files, %v", len(files), err)
			}
			if want := fmt.Sprintf("%x", sha256.Sum256([]byte("odd"))); files[odd].Sum != want {
				t.Errorf("%q has %q, want %q", odd, files[odd].Sum, want)
			}
			if tool, err := exec.LookPath("sha256sum"); err == nil {
				cmd := exec.Command(tool, "--check", "--strict", "--quiet", list)
				cmd.Dir = root
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("sha256sum doesn't agree: %v\n%s", err, out)
				}
			}
		})
	}
}

func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	root, list := tree(t, 20)
	says(t, last(t, program.Start(t, "-root", root, "-out", list), 0), "files=20 ")
	says(t, last(t, program.Start(t, "-root", root, "-out", list), 0), "files=0 bytes=0 failed=0 passed_over=20 ")
	write(t, filepath.Join(root, "d1/file 1"), "other")
	write(t, filepath.Join(root, "new"), "new")
	if err := os.Remove(filepath.Join(root, "d2/file 2")); err != nil {
		t.Fatal(err)
	}
	says(t, last(t, program.Start(t, "-root", root, "-out", list), 0), "files=2 bytes=8 failed=0 passed_over=18 ")
	says(t, last(t, program.Start(t, "-root", root, "-out", list, "-check"), 0), "same=20 differ=0 failed=0")
}

func TestWhatDiffersFromTheListIsNamed(t *testing.T) {
	root, list := tree(t, 10)
	says(t, last(t, program.Start(t, "-root", root, "-out", list), 0), "files=10 ")
	write(t, filepath.Join(root, "d3/file 3"), "yyy")
	if err := os.Remove(filepath.Join(root, "d4/file 4")); err != nil {
		t.Fatal(err)
	}
	p := program.Start(t, "-root", root, "-out", list, "-check")
	says(t, last(t, p, 1), "same=8 differ=1 failed=1")
	if !strings.Contains(p.Out.String(), "differs: d3/file 3") || !strings.Contains(p.Errors.String(), "file 4") {
		t.Error("it does not say which")
	}
}

func TestItGoesOnWhereItWasKilled(t *testing.T) {
	root, list := tree(t, 3000)
	p := program.Start(t, "-root", root, "-out", list, "-n", "worker=2")
	program.Eventually(t, "some files are in the list", func() bool {
		files, _ := readList(list)
		return len(files) >= 10
	})
	p.SignalAll(syscall.SIGKILL)
	<-p.Exited
	had, err := readList(list)
	if err != nil {
		t.Fatal(err)
	}
	says(t, last(t, program.Start(t, "-root", root, "-out", list), 0), fmt.Sprintf("files=%d ", 3000-len(had)))
	if files, err := readList(list); err != nil || len(files) != 3000 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

func TestAnEntryThatWasCutIsNone(t *testing.T) {
	list := filepath.Join(t.TempDir(), "sums")
	f := File{"a", 1, time.Unix(0, 5), strings.Repeat("0", 64)}
	for cut := range len(entry(f)) - 1 {
		write(t, list, entry(f)[:cut])
		if files, err := readList(list); err != nil || len(files) > 0 {
			t.Errorf("cut at %d: %v, %v", cut, files, err)
		}
		w, err := appendTo(list)
		if err != nil {
			t.Fatal(err)
		}
		g := File{"b", 2, time.Unix(0, 6), strings.Repeat("1", 64)}
		w.WriteString(entry(g))
		w.Close()
		if files, err := readList(list); err != nil || files["b"] != g {
			t.Errorf("cut at %d, then more: %v, %v", cut, files, err)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add(entry(File{"a\nb", 1, time.Unix(0, 5), strings.Repeat("0", 64)}))
	f.Add("# 1 2\n\\x  y\n")
	f.Fuzz(func(t *testing.T, text string) {
		list := filepath.Join(t.TempDir(), "sums")
		write(t, list, text)
		files, err := readList(list)
		if err != nil {
			t.Fatal(err)
		}
		for path, file := range files {
			if file.Path != path || len(file.Sum) != 64 {
				t.Errorf("%q is read as %+v", path, file)
			}
		}
	})
}
