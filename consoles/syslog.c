/* SPDX-License-Identifier: MIT */
/*
 * syslog.c - the console on a syslog receiver: the local one by its datagram
 * socket, any by UDP or TCP. RFC 3164 as libc's syslog(3) writes it, or RFC
 * 5424 with structured data; RFC 5426 (UDP), RFC 6587 with octet counting (TCP).
 *
 * A frame is never taken in part: it counts as printed when the kernel has all
 * of it.
 *
 * The kernel having it does not mean that the receiver has read it: what was in
 * a socket is gone when its reader ends. The last frames are therefore kept, and
 * sent once more to the next receiver, unless it is known that they were read.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

#include "syslog.h"

static const char local_path[] = "/dev/log";

/* rsyslog splits what is longer than 8096; RFC 5426 promises 1180 on IPv6. */
#define CAP_DEFAULT 8000
#define CAP_UDP 1180
#define CAP_MIN 480
#define CAP_MAX 1000000
#define RESEND_DEFAULT 65536
#define ADDRESSES 8
#define PEN_EXAMPLE 32473 /* RFC 5612 */
/* For one address; then the next one is tried. */
#define CONNECT_NS UINT64_C(10000000000)
#define OFFSET_EVERY_NS UINT64_C(30000000000)
#define RESOLVE_EVERY_NS UINT64_C(30000000000)
enum transport { LOCAL, UDP, TCP };
enum format { FORMAT_DEFAULT, FORMAT_3164, FORMAT_5424 };

/*
 * What was and is to be sent: whole frames, each with its length in front as
 * TCP wants it. Not for UDP, where nothing tells that a receiver has ended.
 *
 *   0 ... sent ... last ... used ... size
 */
struct stream {
	char *bytes;
	size_t size;
	size_t used;
	size_t sent;  /* to the connection of now */
	size_t last;  /* where the newest frame begins */
	bool offered; /* the newest one has not yet been reported as taken */
	bool torn;    /* whoever changed this never came back */
};

struct receiver {
	enum transport transport;
	enum format format;
	struct lpk__syslog_form form;
	bool facility_given;
	bool resend_given;
	uint32_t resend;
	char node[256]; /* the name of theirs */
	char service[16];
	bool connected; /* fd is ours, and maybe still connecting */
	bool connecting;
	int fd;
	ino_t inode; /* of the socket: is fd still what we opened? */
	pid_t owner; /* the process that connected */
	unsigned int addresses;
	unsigned int address; /* in use */
	struct sockaddr_storage to[ADDRESSES];
	socklen_t to_bytes[ADDRESSES];
	uint64_t connect_due_ns;
	uint64_t resolve_due_ns;
	uint64_t offset_due_ns;
	struct stream stream;
};

/* getpid(2) of now; a child of fork(2) has another one. */
static volatile pid_t process;
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void
note_process(void)
{
	process = getpid();
}

static void
watch_process(void)
{
	note_process();
	pthread_atfork(NULL, NULL, note_process);
}

/* ---- options ---------------------------------------------------------- */

static int
parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;
	unsigned long long number;

	if (text[0] < '0' || text[0] > '9')
		return -LPK_EINVAL;
	number = strtoull(text, &end, 10);
	if (*end == 'K' || *end == 'k') {
		number *= 1024;
		end++;
	} else if (*end == 'M' || *end == 'm') {
		number *= 1048576;
		end++;
	}
	if (*end != '\0' || number < least || number > most)
		return -LPK_EINVAL;
	*value = number;
	return LPK_OK;
}

static int
parse_string(char *to, size_t size_bytes, const char *value)
{
	size_t length = strlen(value);

	if (length == 0 || length >= size_bytes)
		return -LPK_EINVAL;
	memcpy(to, value, length + 1);
	return LPK_OK;
}

static int
parse_facility(struct receiver *receiver, const char *value)
{
	static const char *const names[] = {"kern", "user", "mail", "daemon",
	    "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	    "ntp", "security", "console", "solaris-cron", "local0", "local1",
	    "local2", "local3", "local4", "local5", "local6", "local7"};
	uint64_t number;
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			receiver->form.facility = i;
			return LPK_OK;
		}
	}
	if (parse_number(value, 0, 23, &number) != LPK_OK)
		return -LPK_EINVAL;
	receiver->form.facility = (unsigned int)number;
	return LPK_OK;
}

/* "host", "host:port", "[::1]", "[::1]:port" */
static int
parse_node(struct receiver *receiver, const char *value)
{
	const char *begin = value, *end, *port;

	if (value[0] == '[') {
		begin++;
		end = strchr(begin, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -LPK_EINVAL;
		port = end + 1;
	} else {
		end = begin + strcspn(begin, ":");
		port = end;
		/* An address of IPv6 without brackets would be ambiguous. */
		if (*port == ':' && strchr(port + 1, ':') != NULL)
			return -LPK_EINVAL;
	}
	if (end == begin || (size_t)(end - begin) >= sizeof(receiver->node))
		return -LPK_EINVAL;
	memcpy(receiver->node, begin, (size_t)(end - begin));
	receiver->node[end - begin] = '\0';
	return parse_string(receiver->service, sizeof(receiver->service),
	    *port == ':' ? port + 1 : "514");
}

static int
parse_path(struct receiver *receiver, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&receiver->to[0];

	if (path[0] != '/' || strlen(path) >= sizeof(un->sun_path))
		return -LPK_EINVAL;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path) + 1);
	receiver->to_bytes[0] = sizeof(*un);
	receiver->addresses = 1;
	return LPK_OK;
}

static int
parse_target(struct receiver *receiver, const char *target)
{
	if (target[0] == '\0')
		return LPK_OK;
	if (target[0] == '/')
		return parse_path(receiver, target);
	if (receiver->format == FORMAT_DEFAULT)
		receiver->format = FORMAT_5424;
	if (strncmp(target, "unix:", 5) == 0)
		return parse_path(receiver, target + 5);
	if (strncmp(target, "udp:", 4) == 0)
		receiver->transport = UDP;
	else if (strncmp(target, "tcp:", 4) == 0)
		receiver->transport = TCP;
	else
		return -LPK_EINVAL;
	return parse_node(receiver, target + 4);
}

static int
parse_format(struct receiver *receiver, const char *value)
{
	if (strcmp(value, "3164") == 0)
		receiver->format = FORMAT_3164;
	else if (strcmp(value, "5424") == 0)
		receiver->format = FORMAT_5424;
	else
		return -LPK_EINVAL;
	return LPK_OK;
}

static int
parse_bom(struct receiver *receiver, const char *value)
{
	receiver->form.bom =
	    strcmp(value, "") == 0 || strcmp(value, "yes") == 0;
	return receiver->form.bom || strcmp(value, "no") == 0 ? LPK_OK :
								-LPK_EINVAL;
}

static int
syslog_option(struct lpk_console *console, const char *key, const char *value)
{
	struct receiver *receiver = console->device;
	uint64_t number = 0;
	int status = LPK_OK;

	if (strcmp(key, "") == 0)
		return parse_target(receiver, value);
	if (strcmp(key, "format") == 0)
		return parse_format(receiver, value);
	if (strcmp(key, "tag") == 0)
		return parse_string(
		    receiver->form.tag, sizeof(receiver->form.tag), value);
	if (strcmp(key, "host") == 0) {
		receiver->form.named = true;
		return parse_string(
		    receiver->form.host, sizeof(receiver->form.host), value);
	}
	if (strcmp(key, "bom") == 0)
		return parse_bom(receiver, value);
	if (strcmp(key, "facility") == 0) {
		status = parse_facility(receiver, value);
		receiver->facility_given = true;
	} else if (strcmp(key, "pen") == 0) {
		status = parse_number(value, 1, UINT32_MAX, &number);
		receiver->form.pen = (uint32_t)number;
	} else if (strcmp(key, "cap") == 0) {
		status = parse_number(value, CAP_MIN, CAP_MAX, &number);
		receiver->form.cap = (uint32_t)number;
	} else if (strcmp(key, "resend") == 0) {
		status = parse_number(value, 0, UINT32_C(1) << 30, &number);
		receiver->resend = (uint32_t)number;
		receiver->resend_given = true;
	} else {
		return -LPK_ENOENT;
	}
	return status;
}

/* ---- sockets ---------------------------------------------------------- */

/*
 * A program that closes all descriptors closes ours too, and the number is
 * somebody else's then.
 */
static bool
holds_socket(const struct receiver *receiver)
{
	struct stat status;

	return receiver->connected && fstat(receiver->fd, &status) == 0 &&
	    S_ISSOCK(status.st_mode) && status.st_ino == receiver->inode;
}

static void
disconnect(struct receiver *receiver)
{
	if (holds_socket(receiver))
		close(receiver->fd);
	receiver->connected = false;
	receiver->connecting = false;
}

/* Programs put files of their own in place of the first three. */
static int
above_standard(int fd)
{
	int copy;

	if (fd < 0 || fd > 2)
		return fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return copy;
}

/* 0, or errno. A connection by TCP is then on its way. */
static int
connect_to(struct receiver *receiver)
{
	const struct sockaddr *to =
	    (const struct sockaddr *)&receiver->to[receiver->address];
	int type = receiver->transport == TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct stat status;
	int fd, error, one = 1, half = (int)(receiver->resend / 2);

	if (receiver->addresses == 0)
		return EHOSTUNREACH;
	fd = above_standard(
	    socket(to->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd < 0 || fstat(fd, &status) != 0)
		return errno;
	if (type == SOCK_STREAM) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		/* The kernel doubles it; no more than what is kept here. */
		if (half != 0)
			setsockopt(
			    fd, SOL_SOCKET, SO_SNDBUF, &half, sizeof(half));
	}
	receiver->connecting = false;
	receiver->connect_due_ns = lpk_now_ns() + CONNECT_NS;
	if (connect(fd, to, receiver->to_bytes[receiver->address]) != 0) {
		error = errno;
		if (error != EINPROGRESS) {
			close(fd);
			return error;
		}
		receiver->connecting = true;
	}
	receiver->fd = fd;
	receiver->inode = status.st_ino;
	receiver->connected = true;
	receiver->owner = process;
	return 0;
}

static int
socket_error(int fd)
{
	int error = 0;
	socklen_t bytes = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0)
		return errno;
	return error;
}

/*
 * UDP: nobody listening at a near address is known at once, by ICMP; then it is
 * this datagram, not the next one, that was not received.
 */
static int
send_udp(struct receiver *receiver, const char *frame, size_t bytes)
{
	int error = receiver->connected ? 0 : connect_to(receiver);

	if (error != 0)
		return error;
	if (send(receiver->fd, frame, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno;
	return socket_error(receiver->fd);
}

/* ---- frames that were sent, or are to be ------------------------------ */

/* Bytes of the frame at @at of the stream, with its length in front. */
static size_t
frame_bytes(const struct stream *stream, size_t at)
{
	size_t length = 0, i = at;

	while (stream->bytes[i] != ' ')
		length = length * 10 + (size_t)(stream->bytes[i++] - '0');
	return i - at + 1 + length;
}

/* Where the frame begins that byte @at belongs to. */
static size_t
frame_begin(const struct stream *stream, size_t at)
{
	size_t begin = 0, next;

	while (begin < at && (next = begin + frame_bytes(stream, begin)) <= at)
		begin = next;
	return begin;
}

/* Forget what was sent first. */
static void
stream_drop(struct stream *stream, size_t bytes)
{
	if (bytes == 0)
		return;
	memmove(stream->bytes, stream->bytes + bytes, stream->used - bytes);
	stream->used -= bytes;
	stream->sent -= bytes;
	stream->last = stream->last < bytes ? 0 : stream->last - bytes;
}

/* Forget the oldest frames until no more than @keep bytes are left. */
static void
stream_trim(struct stream *stream, size_t keep)
{
	size_t drop = 0, next;

	while (stream->used - drop > keep && drop < stream->sent) {
		next = drop + frame_bytes(stream, drop);
		if (next > stream->sent)
			break;
		drop = next;
	}
	stream_drop(stream, drop);
}

static bool
stream_append(struct stream *stream, const char *frame, size_t bytes)
{
	char head[24];
	size_t head_bytes = (size_t)lpk_snprintf(
	    head, sizeof(head), "%lu ", (unsigned long)bytes);
	size_t need = head_bytes + bytes;

	if (stream->size - stream->used < need)
		stream_trim(stream, stream->size / 2);
	if (stream->size - stream->used < need)
		stream_trim(stream, 0);
	if (stream->size - stream->used < need)
		return false;
	memcpy(stream->bytes + stream->used, head, head_bytes);
	memcpy(stream->bytes + stream->used + head_bytes, frame, bytes);
	stream->last = stream->used;
	stream->used += need;
	stream->offered = true;
	return true;
}

/* Is this the frame that did not get away when it was offered before? */
static bool
stream_holds(const struct stream *stream, const char *frame, size_t bytes)
{
	return stream->offered && stream->used - stream->last > bytes &&
	    frame_bytes(stream, stream->last) == stream->used - stream->last &&
	    memcmp(stream->bytes + stream->used - bytes, frame, bytes) == 0 &&
	    stream->bytes[stream->used - bytes - 1] == ' ';
}

/* Bytes that were sent and are not known to have arrived. */
static int
underway(int fd)
{
	int bytes;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 1;
}

/*
 * Did the receiver read all that it was sent, and then close? A kernel sends
 * FIN when its reader closes an empty socket, RST when something was unread.
 */
static bool
ended_properly(int fd)
{
	struct tcp_info info;
	socklen_t bytes = sizeof(info);

	memset(&info, 0, sizeof(info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0 &&
	    info.tcpi_state == TCP_CLOSE_WAIT && underway(fd) == 0;
}

/* The connection is over. What is to be sent on the next one? */
static void
lose_connection(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;
	bool ours = holds_socket(receiver);

	if (receiver->connected && !receiver->connecting &&
	    receiver->resend != 0 && !(ours && ended_properly(receiver->fd)))
		stream->sent = 0;
	else
		stream->sent = frame_begin(stream, stream->sent);
	disconnect(receiver);
}

/* TCP: 0 when connected, EAGAIN when not yet; or why not. */
static int
check_connection(struct receiver *receiver)
{
	char ignored[256];
	ssize_t count;
	int error;

	if (!receiver->connected) {
		error = connect_to(receiver);
		if (error != 0)
			return error;
	}
	if (receiver->connecting) {
		struct pollfd now = {.fd = receiver->fd, .events = POLLOUT};

		if (poll(&now, 1, 0) <= 0)
			return lpk_now_ns() < receiver->connect_due_ns ?
			    EAGAIN :
			    ETIMEDOUT;
		error = socket_error(receiver->fd);
		if (error != 0)
			return error;
		receiver->connecting = false;
	}
	/* Who has closed would answer the next frame with a reset. */
	count = recv(receiver->fd, ignored, sizeof(ignored), MSG_DONTWAIT);
	if (count == 0)
		return ECONNRESET;
	return count < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
}

static int
pump_stream(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;
	int error = check_connection(receiver);

	while (error == 0 && stream->sent < stream->used) {
		ssize_t count = send(receiver->fd, stream->bytes + stream->sent,
		    stream->used - stream->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (count >= 0)
			stream->sent += (size_t)count;
		else
			error = errno;
	}
	return error;
}

static int
pump_datagrams(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;
	int error = receiver->connected ? 0 : connect_to(receiver);

	while (error == 0 && stream->sent < stream->used) {
		const char *begin = stream->bytes + stream->sent;
		const char *end = begin + frame_bytes(stream, stream->sent);

		begin = (const char *)memchr(begin, ' ', 24) + 1;
		if (send(receiver->fd, begin, (size_t)(end - begin),
			MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			error = errno;
		else
			stream->sent = (size_t)(end - stream->bytes);
	}
	return error;
}

/* 0 when all is sent. */
static int
pump(struct receiver *receiver)
{
	return receiver->transport == TCP ? pump_stream(receiver) :
					    pump_datagrams(receiver);
}

static void
restart_stream(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;

	stream->used = stream->sent = stream->last = 0;
	stream->offered = stream->torn = false;
	/* Not closed: whoever is not coming back may hold the number. */
	receiver->connected = receiver->connecting = false;
}

static int
send_kept(struct receiver *receiver, const char *frame, size_t bytes)
{
	struct stream *stream = &receiver->stream;
	bool all_read = false;
	int error;

	if (stream->torn)
		restart_stream(receiver);
	if (!stream_holds(stream, frame, bytes)) {
		/* What was offered before counts as somebody else's. */
		stream->offered = false;
		if (stream->sent < stream->used) {
			error = pump(receiver);
			if (error != 0)
				return error;
		}
		if (!stream_append(stream, frame, bytes))
			return EMSGSIZE;
		all_read = receiver->transport == LOCAL &&
		    receiver->connected && underway(receiver->fd) == 0;
	}
	error = pump(receiver);
	/*
	 * A local socket's bytes are under way until they are read, or until
	 * the reader is gone. It was not, if it took this frame thereafter.
	 */
	if (error == 0 && all_read)
		stream_drop(stream, stream->last);
	if (error == EMSGSIZE)
		stream->used = stream->sent;
	if (error == 0 || error == EMSGSIZE)
		stream->offered = false;
	return error;
}

/* ---- setup, and what a thread does now and then ----------------------- */

static void
refresh_offset(struct receiver *receiver, uint64_t now_ns)
{
	time_t now = time(NULL);
	struct tm local;

	if (now_ns < receiver->offset_due_ns)
		return;
	receiver->offset_due_ns = now_ns + OFFSET_EVERY_NS;
	if (localtime_r(&now, &local) != NULL)
		receiver->form.utc_offset_s = (int32_t)local.tm_gmtoff;
}

/* 0, or getaddrinfo's error. May take long. */
static int
look_up(const struct receiver *receiver, struct addrinfo **list)
{
	struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype =
		receiver->transport == TCP ? SOCK_STREAM : SOCK_DGRAM,
	};

	*list = NULL;
	return getaddrinfo(receiver->node, receiver->service, &hints, list);
}

static void
use_addresses(struct receiver *receiver, const struct addrinfo *list)
{
	if (list == NULL)
		return;
	receiver->addresses = 0;
	receiver->address = 0;
	for (; list != NULL && receiver->addresses < ADDRESSES;
	     list = list->ai_next) {
		if (list->ai_addrlen > sizeof(receiver->to[0]))
			continue;
		memcpy(&receiver->to[receiver->addresses], list->ai_addr,
		    list->ai_addrlen);
		receiver->to_bytes[receiver->addresses++] = list->ai_addrlen;
	}
}

static void
set_defaults(struct receiver *receiver)
{
	if (receiver->format == FORMAT_DEFAULT)
		receiver->format = FORMAT_3164;
	if (receiver->form.tag[0] == '\0')
		lpk_snprintf(receiver->form.tag, sizeof(receiver->form.tag),
		    "%s", program_invocation_short_name);
	lpk__syslog_tidy(receiver->form.tag, "[:");
	if (receiver->form.host[0] == '\0' &&
	    gethostname(receiver->form.host, sizeof(receiver->form.host) - 1) !=
		0)
		memcpy(receiver->form.host, "-", 2);
	lpk__syslog_tidy(receiver->form.host, "");
	receiver->form.rfc5424 = receiver->format == FORMAT_5424;
	receiver->form.named |= receiver->transport != LOCAL;
	if (!receiver->facility_given)
		receiver->form.facility = 1; /* user */
	if (receiver->form.pen == 0)
		receiver->form.pen = PEN_EXAMPLE;
	if (receiver->form.cap == 0)
		receiver->form.cap =
		    receiver->transport == UDP ? CAP_UDP : CAP_DEFAULT;
	if (!receiver->resend_given)
		receiver->resend = RESEND_DEFAULT;
}

static int
make_stream(struct receiver *receiver)
{
	struct stream *stream = &receiver->stream;
	size_t least = receiver->form.cap + LPK__SYSLOG_EXCESS_BYTES;

	if (receiver->resend > least)
		least = receiver->resend;
	if (stream->bytes == NULL) {
		stream->size = 2 * least;
		stream->bytes = malloc(stream->size);
	}
	return stream->bytes != NULL ? LPK_OK : -LPK_ENOMEM;
}

static int
syslog_setup(struct lpk_console *console)
{
	struct receiver *receiver = console->device;
	uint64_t now_ns = lpk_now_ns();
	struct addrinfo *list;
	int error;

	pthread_once(&process_once, watch_process);
	set_defaults(receiver);
	refresh_offset(receiver, now_ns);
	if (receiver->transport == LOCAL) {
		if (receiver->addresses == 0)
			parse_path(receiver, local_path);
	} else {
		error = look_up(receiver, &list);
		if (error == EAI_NONAME || error == EAI_SERVICE)
			return -LPK_ENOENT;
		use_addresses(receiver, list);
		if (list != NULL)
			freeaddrinfo(list);
		receiver->resolve_due_ns = now_ns + RESOLVE_EVERY_NS;
	}
	if (receiver->transport != UDP && make_stream(receiver) != LPK_OK)
		return -LPK_ENOMEM;
	/* Nobody there yet is no error: the ring keeps what is logged. */
	connect_to(receiver);
	return LPK_OK;
}

static void
syslog_exit(struct lpk_console *console)
{
	struct receiver *receiver = console->device;

	disconnect(receiver);
	free(receiver->stream.bytes);
	receiver->stream = (struct stream){.bytes = NULL};
}

/* ---- callbacks --------------------------------------------------------- */

static size_t
syslog_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	const struct receiver *receiver = console->device;

	return lpk__syslog_frames(
	    &receiver->form, (long)process, record, text, out, size_bytes);
}

/* Is this the receiver's doing, so that another of its addresses may do? */
static bool
gone(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET ||
	    error == ENOTCONN || error == EPIPE || error == ETIMEDOUT ||
	    error == EHOSTUNREACH || error == ENETUNREACH ||
	    error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

/* 0, or errno: EAGAIN where waiting helps. */
static int
send_frame(struct receiver *receiver, const char *frame, size_t bytes)
{
	unsigned int tries = receiver->addresses + 1;
	int error;

	/* The parent's connection is not for its children to write into. */
	if (receiver->connected && receiver->owner != process) {
		disconnect(receiver);
		receiver->stream.torn = true;
	}
	if (receiver->connected && !holds_socket(receiver))
		lose_connection(receiver);
	do {
		if (receiver->transport == UDP)
			error = send_udp(receiver, frame, bytes);
		else
			error = send_kept(receiver, frame, bytes);
		if (!gone(error))
			break;
		lose_connection(receiver);
		if (++receiver->address >= receiver->addresses)
			receiver->address = 0;
	} while (--tries != 0);
	return error;
}

/*
 * What takes a thread: the time zone, and where the receiver is now, when
 * nobody can be reached where its name led to. False: taken over.
 */
static bool
keep_house(struct receiver *receiver, struct lpk_batch *batch)
{
	uint64_t now_ns = lpk_now_ns();
	struct addrinfo *list;
	bool ours;

	refresh_offset(receiver, now_ns);
	if (receiver->transport == LOCAL || receiver->connected ||
	    now_ns < receiver->resolve_due_ns)
		return true;
	receiver->resolve_due_ns = now_ns + RESOLVE_EVERY_NS;
	if (!lpk_console_exit_unsafe(batch))
		return false;
	look_up(receiver, &list);
	ours = lpk_console_enter_unsafe(batch);
	if (ours)
		use_addresses(receiver, list);
	if (list != NULL)
		freeaddrinfo(list);
	return ours;
}

/* False when the console was taken over. */
static bool
wait_for_room(int fd, struct lpk_batch *batch, uint64_t now_ns)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	uint64_t ms = (batch->deadline_ns - now_ns) / 1000000 + 1;

	if (!lpk_console_exit_unsafe(batch))
		return false;
	poll(&wait, 1, ms < 1000 ? (int)ms : 1000);
	return lpk_console_enter_unsafe(batch);
}

/* The frame at the beginning of @bytes; what was cut off is not counted. */
static size_t
frame_length(const char *bytes, size_t left)
{
	size_t length = 0, i;

	for (i = 0; i + 1 < LPK__SYSLOG_LENGTH_BYTES && i < left; i++)
		length = length * 10 + (size_t)(bytes[i] - '0');
	if (left < LPK__SYSLOG_LENGTH_BYTES)
		return 0;
	left -= LPK__SYSLOG_LENGTH_BYTES;
	return length < left ? length : left;
}

static int
send_batch(struct receiver *receiver, struct lpk_batch *batch)
{
	size_t done = 0;

	while (done + LPK__SYSLOG_LENGTH_BYTES < batch->size_bytes) {
		const char *at = batch->bytes + done;
		size_t bytes = frame_length(at, batch->size_bytes - done);
		int error =
		    send_frame(receiver, at + LPK__SYSLOG_LENGTH_BYTES, bytes);
		uint64_t now_ns;

		if (error == 0) {
			done += LPK__SYSLOG_LENGTH_BYTES + bytes;
			continue;
		}
		now_ns = lpk_now_ns();
		if ((error != EAGAIN && error != EINTR) ||
		    !receiver->connected || now_ns >= batch->deadline_ns) {
			batch->error = error;
			if (done != 0)
				return (int)done;
			return error == EMSGSIZE ? -LPK_EIO : -LPK_EAGAIN;
		}
		if (!wait_for_room(receiver->fd, batch, now_ns))
			return 0;
	}
	return (int)batch->size_bytes;
}

static int
syslog_write(struct lpk_console *console, struct lpk_batch *batch)
{
	if (!keep_house(console->device, batch))
		return 0;
	return send_batch(console->device, batch);
}

static int
syslog_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	int saved = errno;
	int taken = send_batch(console->device, batch);

	errno = saved;
	return taken;
}

/* Whoever held the device may have stopped between two bytes. */
static void
syslog_zap_locks(struct lpk_console *console)
{
	struct receiver *receiver = console->device;

	receiver->stream.torn = true;
}

static void
syslog_reopen(struct lpk_console *console)
{
	struct receiver *receiver = console->device;

	lose_connection(receiver);
	receiver->resolve_due_ns = 0;
}

const struct lpk_console_driver lpk_syslog_driver = {
    .name = "syslog",
    .flags = LPK_DRIVER_SINGLE,
    .device_bytes = sizeof(struct receiver),
    .option = syslog_option,
    .setup = syslog_setup,
    .exit = syslog_exit,
    .render = syslog_render,
    .write = syslog_write,
    .write_on_panic = syslog_write_on_panic,
    .zap_locks = syslog_zap_locks,
    .reopen = syslog_reopen,
};
