/* SPDX-License-Identifier: MIT */
/*
 * netconsole.c - records as UDP datagrams, in the two formats of the kernel's
 * netconsole: lines of text, or the lines of /dev/kmsg ("extended"), of which a
 * long one is sent in fragments that say where they belong.
 *
 * The socket is not connected. Each datagram finds its own route, so that an
 * address that changes under the process changes nothing; and nobody who does
 * not listen makes a later send() fail, which a connected socket's would.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

/* Most bytes of a datagram: what the kernel sends, and any path carries. */
#define DATAGRAM_MAX 1000
#define RELEASE_MAX 64
/* In front of the ';' of an extended record, release included. */
#define HEAD_MAX (RELEASE_MAX + 128)
/*
 * What render() makes of a record is its datagrams, each behind its length in
 * two bytes, high one first. So write() needs no memory of what it has sent.
 */
#define LENGTH_BYTES 2

struct netconsole {
	char host[256];
	char port[8];
	char release[RELEASE_MAX];
	bool extended;
	bool open;
	int fd;
	socklen_t to_bytes;
	struct sockaddr_storage to;
};

/* A record on its way into datagrams. */
struct message {
	char head[HEAD_MAX];
	size_t head_bytes;
	const char *body;
	size_t body_bytes;
	bool extended;
	bool split;
};

static bool
port_valid(const char *port)
{
	unsigned int value = 0, i;

	for (i = 0; port[i] >= '0' && port[i] <= '9' && i < 5; i++)
		value = value * 10 + (unsigned int)(port[i] - '0');
	return i > 0 && port[i] == '\0' && value >= 1 && value <= 65535;
}

/* HOST, HOST:PORT, [V6], [V6]:PORT */
static int
set_target(struct netconsole *net, const char *words)
{
	const char *host = words, *colon, *end;
	size_t bytes;

	if (words[0] == '[') {
		host++;
		end = strchr(host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -LPK_EINVAL;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(words, ':');
		/* An address of IPv6 hides its port unless it has brackets. */
		if (colon != NULL && strchr(colon + 1, ':') != NULL)
			return -LPK_EINVAL;
		end = colon != NULL ? colon : words + strlen(words);
	}
	bytes = (size_t)(end - host);
	if (bytes == 0 || bytes >= sizeof(net->host) ||
	    (colon != NULL && !port_valid(colon + 1)))
		return -LPK_EINVAL;
	memcpy(net->host, host, bytes);
	net->host[bytes] = '\0';
	strcpy(net->port, colon != NULL ? colon + 1 : "6666");
	return LPK_OK;
}

/* It stands in front of a header whose fields end in ',' and ';'. */
static int
set_release(struct netconsole *net, const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (i == sizeof(net->release) - 1 || text[i] <= ' ' ||
		    text[i] > '~' || text[i] == ',' || text[i] == ';')
			return -LPK_EINVAL;
	if (i == 0)
		return -LPK_EINVAL;
	memcpy(net->release, text, i + 1);
	return LPK_OK;
}

static int
netconsole_option(
    struct lpk_console *console, const char *key, const char *value)
{
	struct netconsole *net = console->device;

	if (key[0] == '\0')
		return set_target(net, value);
	if (strcmp(key, "release") == 0)
		return set_release(net, value);
	if (strcmp(key, "format") != 0)
		return -LPK_ENOENT;
	if (strcmp(value, "extended") != 0 && strcmp(value, "basic") != 0)
		return -LPK_EINVAL;
	net->extended = value[0] == 'e';
	return LPK_OK;
}

/* A socket for the first address of the name that this system can use. */
static int
find_target(
    const struct netconsole *net, struct sockaddr_storage *to, socklen_t *bytes)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_DGRAM,
	    .ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found, *at;
	int fd = -1;

	if (getaddrinfo(net->host, net->port, &hints, &found) != 0)
		return -1;
	for (at = found; at != NULL && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0)
			continue;
		memcpy(to, at->ai_addr, at->ai_addrlen);
		*bytes = at->ai_addrlen;
	}
	freeaddrinfo(found);
	return fd;
}

static int
netconsole_setup(struct lpk_console *console)
{
	struct netconsole *net = console->device;
	const int yes = 1;

	if (console->style == LPK_STYLE_KMSG)
		net->extended = true;
	if (net->extended)
		console->style = LPK_STYLE_KMSG;
	/* As in the kernel: nothing tells a release from a line of text. */
	if (net->host[0] == '\0' || (net->release[0] != '\0' && !net->extended))
		return -LPK_EINVAL;
	net->fd = find_target(net, &net->to, &net->to_bytes);
	if (net->fd < 0)
		return -LPK_EIO;
	net->open = true;
	/* Else the address of a whole network is refused. */
	setsockopt(net->fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
	return LPK_OK;
}

static void
netconsole_exit(struct lpk_console *console)
{
	struct netconsole *net = console->device;

	if (net->open)
		close(net->fd);
	net->open = false;
}

/* The name may have moved to another machine. */
static void
netconsole_reopen(struct lpk_console *console)
{
	struct netconsole *net = console->device;
	struct sockaddr_storage to;
	socklen_t bytes;
	const int yes = 1;
	int fd = find_target(net, &to, &bytes);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
	net->to = to;
	net->to_bytes = bytes;
	dup3(fd, net->fd, O_CLOEXEC);
	close(fd);
}

/* How much of the body goes next: at most this, and no torn UTF-8. */
static size_t
piece_bytes(const char *text, size_t left, size_t most)
{
	size_t at = most;

	if (left <= most)
		return left;
	while (at > 0 && most - at < 4 && (text[at] & 0xc0) == 0x80)
		at--;
	return at > 0 && (text[at] & 0xc0) != 0x80 ? at : most;
}

/*
 * Write a message as datagrams, each behind its length; @out of NULL only
 * counts. The body may lie at the end of what is written.
 */
static size_t
put_datagrams(const struct message *message, char *out)
{
	size_t offset = 0, used = 0, piece, bytes;
	char field[64];
	int field_bytes = 0;

	do {
		if (message->split)
			field_bytes = lpk_snprintf(field, sizeof(field),
			    ",ncfrag=%zu/%zu;", offset, message->body_bytes);
		else if (message->extended)
			field_bytes = lpk_snprintf(field, sizeof(field), ";");
		bytes = message->head_bytes + (size_t)field_bytes;
		piece = piece_bytes(message->body + offset,
		    message->body_bytes - offset, DATAGRAM_MAX - bytes);
		bytes += piece;
		if (out != NULL) {
			char *to = out + used + LENGTH_BYTES;

			out[used] = (char)(bytes >> 8);
			out[used + 1] = (char)(bytes & 0xff);
			memcpy(to, message->head, message->head_bytes);
			to += message->head_bytes;
			memcpy(to, field, (size_t)field_bytes);
			memmove(
			    to + field_bytes, message->body + offset, piece);
		}
		used += LENGTH_BYTES + bytes;
		offset += piece;
	} while (offset < message->body_bytes);
	return used;
}

/* Take the header of an extended record off its front. */
static void
take_head(struct message *message, const struct netconsole *net)
{
	const char *end = memchr(message->body, ';', message->body_bytes);
	size_t bytes = end != NULL ? (size_t)(end - message->body) : 0;

	if (end == NULL || bytes > HEAD_MAX - RELEASE_MAX - 1)
		return;
	if (net->release[0] != '\0')
		message->head_bytes = (size_t)lpk_snprintf(
		    message->head, sizeof(message->head), "%s,", net->release);
	memcpy(message->head + message->head_bytes, message->body, bytes);
	message->head_bytes += bytes;
	message->body += bytes + 1;
	message->body_bytes -= bytes + 1;
	message->extended = true;
	message->split =
	    message->head_bytes + 1 + message->body_bytes > DATAGRAM_MAX;
}

/* What a record of so many bytes takes at most. */
static size_t
bytes_at_most(size_t body_bytes)
{
	const size_t around = LENGTH_BYTES + HEAD_MAX + 64;

	return body_bytes + (body_bytes / (DATAGRAM_MAX - around) + 1) * around;
}

static size_t
netconsole_render(struct lpk_console *console, const struct lpk_record *record,
    const char *text, char *out, size_t size_bytes)
{
	const struct netconsole *net = console->device;
	struct message message = {.body = out};
	size_t bytes, needed;

	/* In that format the gap in the numbers says it. */
	if (net->extended && (record->flags & LPK_RECORD_NOTICE))
		return 0;
	bytes = lpk_record_print(record, text, console->style, out, size_bytes);
	message.body_bytes = bytes < size_bytes ? bytes : size_bytes;
	if (message.body_bytes != 0 && net->extended)
		take_head(&message, net);
	needed = bytes < size_bytes ? put_datagrams(&message, NULL) :
				      bytes_at_most(bytes);
	if (needed > size_bytes) {
		/* Its beginning, as datagrams, if there is room for any. */
		if (size_bytes < bytes_at_most(1))
			return needed;
		while (bytes_at_most(message.body_bytes) > size_bytes)
			message.body_bytes -= message.body_bytes / 4 + 1;
		bytes = put_datagrams(&message, NULL);
	} else {
		bytes = needed;
	}
	/* What is written from the front never reaches what is still to go. */
	memmove(
	    out + bytes - message.body_bytes, message.body, message.body_bytes);
	message.body = out + bytes - message.body_bytes;
	put_datagrams(&message, out);
	return needed;
}

/* Until the socket takes more; false: it does not, or is not ours any more. */
static bool
wait_writable(const struct lpk_batch *batch, int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int ready = -1;

	if (!lpk_console_exit_unsafe(batch))
		return false;
	while (ready < 0) {
		uint64_t now = lpk_now_ns(), ms;

		ms = now < batch->deadline_ns ?
		    (batch->deadline_ns - now) / 1000000 + 1 :
		    0;
		ready = poll(&wait, 1, ms < INT_MAX ? (int)ms : INT_MAX);
		if (ready < 0 && errno != EINTR)
			break;
	}
	return lpk_console_enter_unsafe(batch) && ready > 0;
}

/* What to do about an error of sendto(): LPK_OK is, call it sent. */
static int
error_meaning(int error)
{
	switch (error) {
	case ECONNREFUSED: /* somebody says of an earlier one: nobody listens */
		return LPK_OK;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
	case EACCES: /* a route that says "prohibit" */
	case EPERM:  /* a firewall of this machine */
		return -LPK_EAGAIN;
	default:
		return -LPK_EIO;
	}
}

/* LPK_OK, or what write() returns when nothing was sent before. */
static int
send_datagram(const struct netconsole *net, struct lpk_batch *batch,
    const char *bytes, size_t size_bytes)
{
	for (;;) {
		ssize_t sent = sendto(net->fd, bytes, size_bytes,
		    MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&net->to, net->to_bytes);

		if (sent >= 0)
			return LPK_OK;
		if (errno == EINTR)
			continue;
		batch->error = errno;
		if (errno != EAGAIN)
			return error_meaning(errno);
		if (!wait_writable(batch, net->fd))
			return -LPK_EAGAIN;
	}
}

static int
netconsole_write(struct lpk_console *console, struct lpk_batch *batch)
{
	const struct netconsole *net = console->device;
	const unsigned char *bytes = (const unsigned char *)batch->bytes;
	size_t used = 0, length;
	int result = LPK_OK;

	while (batch->size_bytes - used > LENGTH_BYTES) {
		length = (size_t)bytes[used] << 8 | bytes[used + 1];
		if (length > batch->size_bytes - used - LENGTH_BYTES)
			length = batch->size_bytes - used - LENGTH_BYTES;
		result = send_datagram(
		    net, batch, batch->bytes + used + LENGTH_BYTES, length);
		if (result != LPK_OK)
			return used != 0 ? (int)used : result;
		used += LENGTH_BYTES + length;
	}
	return (int)batch->size_bytes;
}

static int
netconsole_write_on_panic(struct lpk_console *console, struct lpk_batch *batch)
{
	int saved = errno, result = netconsole_write(console, batch);

	errno = saved;
	return result;
}

const struct lpk_console_driver lpk_netconsole_driver = {
    .name = "netconsole",
    .flags = LPK_DRIVER_SINGLE,
    .device_bytes = sizeof(struct netconsole),
    .option = netconsole_option,
    .setup = netconsole_setup,
    .exit = netconsole_exit,
    .render = netconsole_render,
    .write = netconsole_write,
    .write_on_panic = netconsole_write_on_panic,
    .reopen = netconsole_reopen,
};
