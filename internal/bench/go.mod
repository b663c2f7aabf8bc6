// The comparison with libzmq and with bare Go, apart from the library: it is for those who work on it.
module github.com/troupe-go/troupe/internal/bench

go 1.26.0

require github.com/troupe-go/troupe v0.0.0

require (
	github.com/go-zeromq/goczmq/v4 v4.2.2 // indirect
	github.com/go-zeromq/zmq4 v0.17.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
	golang.org/x/text v0.44.0 // indirect
)

replace github.com/troupe-go/troupe => ../..
