package bench

import "strconv"

// weather appends an update, "%05d %d %d" of a random place, temperature and humidity, as the ZeroMQ Guide's weather
// server does. libzmq/peer.c makes the same ones.
func weather(buf []byte, random *uint64) (update []byte, zip int) {
	x := *random
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*random = x
	zip = int((x >> 32) * 100000 >> 32)
	temperature := int((x&0xffff)*215>>16) - 80
	humidity := int((x>>16&0xffff)*50>>16) + 10
	for least := 10000; least > zip && least > 1; least /= 10 {
		buf = append(buf, '0')
	}
	buf = strconv.AppendInt(buf, int64(zip), 10)
	buf = append(buf, ' ')
	buf = strconv.AppendInt(buf, int64(temperature), 10)
	buf = append(buf, ' ')
	return strconv.AppendInt(buf, int64(humidity), 10), zip
}
