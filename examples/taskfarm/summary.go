package main

import (
	"fmt"
	"slices"
	"time"
)

// summary is what a sink has seen.
type summary struct {
	done        []Task
	first, last time.Time
	workers     map[string]bool
}

func (s *summary) add(r Result) {
	s.last = time.Now()
	if len(s.done) == 0 {
		s.first = s.last.Add(-time.Duration(r.Task.Milliseconds) * time.Millisecond) // when the task was begun
		s.workers = map[string]bool{}
	}
	s.done = append(s.done, r.Task)
	s.workers[r.Worker] = true
}

// String is a line that says what was done, in which time, and how long it takes at best.
func (s *summary) String() string {
	slices.SortFunc(s.done, func(a, b Task) int { return a.Number - b.Number })
	distinct := slices.CompactFunc(slices.Clone(s.done), func(a, b Task) bool { return a.Number == b.Number })
	return fmt.Sprintf("tasks=%d distinct=%d elapsed_ms=%d ideal_ms=%d workers=%d", len(s.done), len(distinct),
		s.last.Sub(s.first).Milliseconds(), ideal(distinct, len(s.workers)), len(s.workers))
}

// ideal returns how many milliseconds tasks take if each, in their order, goes to the worker that is free first.
func ideal(tasks []Task, workers int) int {
	free := make([]int, max(workers, 1)) // when each worker is
	for _, task := range tasks {
		next := slices.Index(free, slices.Min(free))
		free[next] += task.Milliseconds
	}
	return slices.Max(free)
}
