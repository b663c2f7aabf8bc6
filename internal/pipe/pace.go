package pipe

import "time"

const (
	// ahead is how much work a consumer holds: as many tasks as it does in that time.
	ahead = time.Millisecond
	// aheadBytes is how large these are together at most, or there is one.
	aheadBytes = 4 << 20
	// maxCredit is how many tasks it holds at most.
	maxCredit = 1000
	// patience is how often a consumer looks whether it is still at work on the same task; if so, it gives back what it has
	// not begun.
	patience = 2 * time.Millisecond
)

// Looking at the clock takes longer than many a task: so many tasks that are shorter than shortTask, and come one right
// after the other, are measured together.
const (
	shortTask    = 10 * time.Microsecond
	severalTasks = 16
)

// pace is how fast a consumer is, and how many tasks it may hold because of that. It starts with one.
type pace struct {
	took     time.Duration // by a task, on average
	size     int64         // of a task, on average
	measured int           // how often took was, up to 8
	credit   int
}

// note takes the time into account that some tasks took together.
func (p *pace) note(took time.Duration, tasks int) {
	p.measured = min(p.measured+1, 8)
	p.took += (took/time.Duration(tasks) - p.took) / time.Duration(p.measured)
}

// weigh takes the size of a task into account.
func (p *pace) weigh(size int) { p.size += (int64(size) - p.size) / 8 }

// want returns how many tasks the consumer may hold, for each of so many producers. It grows to at most twice what it was
// when it was last asked for.
func (p *pace) want(producers int) int {
	n := maxCredit
	if p.measured == 0 {
		n = 1
	}
	if p.took > 0 {
		n = min(n, int(ahead/p.took))
	}
	if p.size > 0 {
		n = min(n, int(aheadBytes/p.size))
	}
	p.credit = max(1, min(n, 2*p.credit))
	return max(1, p.credit/max(1, producers))
}
