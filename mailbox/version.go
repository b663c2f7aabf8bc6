package mailbox

// version is this library's, as in the CHANGELOG.
const version = "0.1.0"

// Version names this library and the protocol that its sockets speak on the wire, with the oldest libzmq they can talk
// to: "troupe 0.1.0, ZMTP 3.1 (libzmq >= 4.0)".
func Version() string { return "troupe " + version + ", ZMTP 3.1 (libzmq >= 4.0)" }
