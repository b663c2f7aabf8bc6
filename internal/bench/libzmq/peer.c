/*
 * The libzmq side of the comparison: one process of it. It is run as
 *
 *     peer PATTERN SIZE (bind|connect|both) ENDPOINT SUBSCRIBERS
 *
 * and talks with its parent as ../child.go says. Sockets have libzmq's defaults: one I/O thread, high-water marks of 1000.
 * Each socket has a thread. What is sent is copied by zmq_send, what is received stays in a zmq_msg_t that is used again.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define TOPIC "10001 "
#define ZIP 10001

static const char *pattern, *endpoint;
static size_t size;
static int with_snprintf;
static int subscribers;
static void *context;

/* The round that workers are to do: its number, and its count of messages. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static long round_number, round_count;

static void fail(const char *what)
{
    printf("failed %s: %s\n", what, zmq_strerror(zmq_errno()));
    fflush(stdout);
    _exit(1);
}

static void must(int rc, const char *what)
{
    if (rc == -1)
        fail(what);
}

/* next_round waits for the round after number *seen and returns its count. */
static long next_round(long *seen)
{
    pthread_mutex_lock(&mutex);
    while (round_number == *seen)
        pthread_cond_wait(&begun, &mutex);
    *seen = round_number;
    long count = round_count;
    pthread_mutex_unlock(&mutex);
    return count;
}

static void did(long messages, long ns, long hits)
{
    printf("did %ld %ld %ld\n", messages, ns, hits);
    fflush(stdout);
}

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void *open_socket(int type)
{
    void *s = zmq_socket(context, type);
    if (!s)
        fail("zmq_socket");
    return s;
}

static void *bound(int type)
{
    void *s = open_socket(type);
    int on = 1;
    char where[256];
    size_t length = sizeof where;
    if (type == ZMQ_XPUB) {
        must(zmq_setsockopt(s, ZMQ_XPUB_VERBOSE, &on, sizeof on), "ZMQ_XPUB_VERBOSE");
        if (strcmp(pattern, "pub-sub-filter") != 0)
            must(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &on, sizeof on), "ZMQ_XPUB_NODROP");
    }
    must(zmq_bind(s, endpoint), "zmq_bind");
    must(zmq_getsockopt(s, ZMQ_LAST_ENDPOINT, where, &length), "ZMQ_LAST_ENDPOINT");
    printf("bound %s\n", where);
    fflush(stdout);
    if (type == ZMQ_XPUB)
        for (int i = 0; i < subscribers; i++)
            must(zmq_recv(s, where, sizeof where, 0), "receiving a subscription");
    return s;
}

static void *connected(int type, const char *topic)
{
    void *s = open_socket(type);
    if (topic)
        must(zmq_setsockopt(s, ZMQ_SUBSCRIBE, topic, strlen(topic)), "ZMQ_SUBSCRIBE");
    must(zmq_connect(s, endpoint), "zmq_connect");
    return s;
}

/* A source sends numbered messages. */
static void source(void *s)
{
    char *buffer = calloc(1, size);
    for (long seen = 0;;) {
        long count = next_round(&seen);
        for (uint64_t i = 0; i < (uint64_t)count; i++) {
            memcpy(buffer, &i, sizeof i);
            must(zmq_send(s, buffer, size, 0), "zmq_send");
        }
        did(count, 0, 0);
    }
}

static void receive(zmq_msg_t *msg, void *s) { must(zmq_msg_recv(msg, s, 0), "zmq_msg_recv"); }

/* check fails unless msg is the i-th of its round. */
static void check(zmq_msg_t *msg, uint64_t i)
{
    uint64_t got;
    if (zmq_msg_size(msg) == size) {
        memcpy(&got, zmq_msg_data(msg), sizeof got);
        if (got == i)
            return;
    }
    printf("failed: another message came in the place of number %lu\n", (unsigned long)i);
    fflush(stdout);
    _exit(1);
}

/* A sink receives them and measures from the first to the last. */
static void sink(void *s)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    for (long seen = 0;;) {
        long count = next_round(&seen);
        receive(&msg, s);
        check(&msg, 0);
        long start = now();
        for (long i = 1; i < count; i++) {
            receive(&msg, s);
            check(&msg, i);
        }
        did(count - 1, now() - start, 0);
    }
}

static void client(void *s)
{
    char *buffer = calloc(1, size);
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    for (long seen = 0;;) {
        long count = next_round(&seen), start = now();
        for (uint64_t i = 0; i < (uint64_t)count; i++) {
            memcpy(buffer, &i, sizeof i);
            must(zmq_send(s, buffer, size, 0), "zmq_send");
            receive(&msg, s);
            check(&msg, i);
        }
        did(count, now() - start, 0);
    }
}

static void server(void *s)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    for (long seen = 0;;) {
        long count = next_round(&seen);
        for (long i = 0; i < count; i++) {
            receive(&msg, s);
            must(zmq_msg_send(&msg, s, 0), "zmq_msg_send");
        }
        did(count, 0, 0);
    }
}

/* digits writes value in decimal, with zeros before it up to width, and returns where it ends. */
static char *digits(char *to, unsigned value, int width)
{
    char reversed[10];
    int n = 0;
    do {
        reversed[n++] = '0' + value % 10;
        value /= 10;
    } while (value);
    for (int i = n; i < width; i++)
        *to++ = '0';
    while (n)
        *to++ = reversed[--n];
    return to;
}

/*
 * weather writes an update, "%05d %d %d". Size "weather" does it as the Guide's weather server and most C programs, with
 * snprintf, which takes more time than libzmq does; size "digits" as the Go sides do.
 */
static size_t weather(char *buffer, size_t room, uint64_t *random, int *zip)
{
    uint64_t x = *random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *random = x;
    *zip = (int)((x >> 32) * 100000 >> 32);
    int temperature = (int)((x & 0xffff) * 215 >> 16) - 80;
    int humidity = (int)((x >> 16 & 0xffff) * 50 >> 16) + 10;
    if (with_snprintf)
        return snprintf(buffer, room, "%05d %d %d", *zip, temperature, humidity);
    char *to = digits(buffer, *zip, 5);
    *to++ = ' ';
    if (temperature < 0) {
        *to++ = '-';
        temperature = -temperature;
    }
    to = digits(to, temperature, 1);
    *to++ = ' ';
    to = digits(to, humidity, 1);
    return to - buffer;
}

/* A station publishes the weather everywhere, and measures how long that takes. */
static void station(void *s)
{
    uint64_t random = 88172645463325252u;
    char buffer[64];
    for (long seen = 0;;) {
        long count = next_round(&seen), start = now(), hits = 0;
        for (long i = 0; i < count; i++) {
            int zip;
            size_t length = weather(buffer, sizeof buffer, &random, &zip);
            hits += zip == ZIP;
            must(zmq_send(s, buffer, length, 0), "zmq_send");
        }
        long took = now() - start;
        must(zmq_send(s, TOPIC "end", strlen(TOPIC "end"), 0), "zmq_send");
        did(count, took, hits);
    }
}

/* A watcher counts the updates of its place until the end of the round. */
static void watcher(void *s)
{
    zmq_msg_t msg;
    zmq_msg_init(&msg);
    for (long seen = 0;;) {
        long hits = 0;
        next_round(&seen);
        for (;; hits++) {
            receive(&msg, s);
            if (zmq_msg_size(&msg) < strlen(TOPIC) || memcmp(zmq_msg_data(&msg), TOPIC, strlen(TOPIC)) != 0)
                fail("a message that was not subscribed to came");
            if (((char *)zmq_msg_data(&msg))[strlen(TOPIC)] == 'e')
                break;
        }
        did(hits, 0, hits);
    }
}

static void *binder(void *unused)
{
    (void)unused;
    if (strcmp(pattern, "push-pull") == 0)
        sink(bound(ZMQ_PULL));
    else if (strcmp(pattern, "req-rep") == 0)
        server(bound(ZMQ_REP));
    else if (strcmp(pattern, "pub-sub-filter") == 0)
        station(bound(ZMQ_XPUB));
    else
        source(bound(ZMQ_XPUB));
    return NULL;
}

static void *connecter(void *unused)
{
    (void)unused;
    if (strcmp(pattern, "push-pull") == 0)
        source(connected(ZMQ_PUSH, NULL));
    else if (strcmp(pattern, "req-rep") == 0)
        client(connected(ZMQ_REQ, NULL));
    else if (strcmp(pattern, "pub-sub-filter") == 0)
        watcher(connected(ZMQ_SUB, TOPIC));
    else
        sink(connected(ZMQ_SUB, ""));
    return NULL;
}

static void start(void *(*worker)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker, NULL) != 0)
        fail("pthread_create");
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    pattern = argv[1];
    size = strtoul(argv[2], NULL, 10);
    with_snprintf = strcmp(argv[2], "weather") == 0;
    endpoint = argv[4];
    subscribers = atoi(argv[5]);
    if (!(context = zmq_ctx_new()))
        fail("zmq_ctx_new");
    if (strcmp(argv[3], "connect") != 0)
        start(binder);
    if (strcmp(argv[3], "bind") != 0)
        for (int i = 0; i < subscribers; i++)
            start(connecter);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        pthread_mutex_lock(&mutex);
        round_count = strtol(line, NULL, 10);
        round_number++;
        pthread_cond_broadcast(&begun);
        pthread_mutex_unlock(&mutex);
    }
    _exit(0);
}
