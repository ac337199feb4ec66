/* SPDX-License-Identifier: MIT */
/*
 * ram.c - the console in memory: keeps the newest bytes. With file=, in memory
 * that is a file, so that the last words are there after any death of the
 * process, and the next one goes on behind them.
 *
 * The memory is laid out as the kernel lays out its persistent_ram (fs/pstore),
 * whose readers then read it: the letters DBGC, where the next byte goes, how
 * many there are, the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lpk/consoles.h>

#define SIGNATURE 0x43474244u /* "DBGC" */
#define DEFAULT_BYTES 65536
#define LEAST_BYTES 256
#define MOST_BYTES (1ul << 30)
/* For what is stored to get here before it is read. */
#define READ_FLUSH_NS 1000000000u

/*
 * A process may die between any two of the stores. The bytes go first, so that
 * what the words describe is there.
 */
struct region {
	uint32_t signature;
	volatile uint32_t next;
	volatile uint32_t bytes;
	char data[];
};

struct ram_device {
	struct region *region;
	uint32_t size_bytes; /* of its data; 0: the default */
	/* As in the region, to which other processes may write. */
	uint32_t next;
	uint32_t bytes;
	bool allocated; /* by setup() */
	char file[PATH_MAX];
};

static const size_t head_bytes = offsetof(struct region, data);

/* "64K": K, M, G as one expects, or none. */
static bool
parse_size(const char *text, uint32_t *bytes)
{
	unsigned int shift;
	unsigned long size;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	size = strtoul(text, &end, 10);
	shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
	if (end[shift != 0] != '\0' || errno != 0 || size > MOST_BYTES >> shift)
		return false;
	*bytes = (uint32_t)(size << shift);
	return *bytes >= LEAST_BYTES;
}

static int
ram_option(struct lpk_console *console, const char *key, const char *value)
{
	struct ram_device *device = console->device;

	if (strcmp(key, "file") == 0) {
		if (value[0] == '\0' || strlen(value) >= sizeof(device->file))
			return -LPK_EINVAL;
		strcpy(device->file, value);
		return LPK_OK;
	}
	if (key[0] != '\0')
		return -LPK_ENOENT;
	if (value[0] == '\0')
		return LPK_OK;
	return parse_size(value, &device->size_bytes) ? LPK_OK : -LPK_EINVAL;
}

/*
 * A new file, or an old one of ours; nothing else is written over. The blocks
 * now: a full disk would be SIGBUS later.
 */
static bool
prepare_file(int fd, size_t size)
{
	uint32_t signature = 0;
	struct stat is;

	return fstat(fd, &is) == 0 && S_ISREG(is.st_mode) &&
	    (is.st_size == 0 ||
		(pread(fd, &signature, sizeof(signature), 0) ==
			sizeof(signature) &&
		    signature == SIGNATURE)) &&
	    ftruncate(fd, (off_t)size) == 0 &&
	    posix_fallocate(fd, 0, (off_t)size) == 0;
}

static struct region *
map_region(const char *file, size_t size)
{
	int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *memory = MAP_FAILED;

	if (file[0] != '\0') {
		flags = MAP_SHARED;
		fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	}
	if (file[0] == '\0' || (fd >= 0 && prepare_file(fd, size)))
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (fd >= 0)
		close(fd);
	return memory != MAP_FAILED ? memory : NULL;
}

/* What a former process left, if it makes sense for this size. */
static void
recover(struct ram_device *device)
{
	struct region *region = device->region;
	uint32_t next = region->next, bytes = region->bytes;

	if (next >= device->size_bytes || bytes > device->size_bytes ||
	    (bytes < device->size_bytes && next != bytes))
		next = bytes = 0;
	region->next = device->next = next;
	region->bytes = device->bytes = bytes;
	region->signature = SIGNATURE;
}

static void
ram_exit(struct lpk_console *console)
{
	struct ram_device *device = console->device;

	if (device == NULL)
		return;
	if (device->region != NULL)
		munmap(device->region, head_bytes + device->size_bytes);
	device->region = NULL;
	if (!device->allocated)
		return;
	console->device = NULL;
	free(device);
}

static int
ram_setup(struct lpk_console *console)
{
	struct ram_device *device = console->device;

	if (device == NULL) {
		device = calloc(1, sizeof(*device));
		if (device == NULL)
			return -LPK_ENOMEM;
		device->allocated = true;
		console->device = device;
	}
	if (device->size_bytes == 0)
		device->size_bytes = DEFAULT_BYTES;
	device->region =
	    map_region(device->file, head_bytes + device->size_bytes);
	if (device->region == NULL) {
		int result = device->file[0] != '\0' ? -LPK_EIO : -LPK_ENOMEM;

		ram_exit(console);
		return result;
	}
	recover(device);
	return LPK_OK;
}

static int
ram_write(struct lpk_console *console, struct lpk_batch *batch)
{
	struct ram_device *device = console->device;
	struct region *region = device->region;
	uint32_t size = device->size_bytes, next = device->next, count, first;
	const char *bytes = batch->bytes;
	size_t left = batch->size_bytes;

	/* Of more than fits, the end is the newest. */
	if (left > size) {
		bytes += left - size;
		left = size;
	}
	count = (uint32_t)left;
	first = count < size - next ? count : size - next;
	memcpy(region->data + next, bytes, first);
	memcpy(region->data, bytes + first, count - first);
	device->next = (next + count) % size;
	if (device->bytes < size)
		device->bytes =
		    count < size - device->bytes ? device->bytes + count : size;
	region->next = device->next;
	region->bytes = device->bytes;
	return (int)batch->size_bytes;
}

/* The newest @size bytes of the region, oldest of them first. */
static void
copy_newest(const struct ram_device *device, char *to, uint32_t size)
{
	uint32_t all = device->size_bytes;
	uint32_t from = (device->next + all - size) % all;
	uint32_t first = size < all - from ? size : all - from;

	memcpy(to, device->region->data + from, first);
	memcpy(to + first, device->region->data, size - first);
}

static int
copy_lines(const struct ram_device *device, char *buf, size_t size_bytes)
{
	uint32_t kept = device->bytes, count = kept;
	char *line;

	if (count > size_bytes - 1)
		count = (uint32_t)(size_bytes - 1);
	copy_newest(device, buf, count);
	buf[count] = '\0';
	if (count == kept && kept < device->size_bytes)
		return (int)count;
	/* The oldest line has lost its beginning. */
	line = memchr(buf, '\n', count);
	if (line == NULL)
		return (int)count;
	count -= (uint32_t)(++line - buf);
	memmove(buf, line, count + 1);
	return (int)count;
}

int
lpk_ram_read(struct lpk_console *console, char *buf, size_t size_bytes)
{
	static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
	uint64_t deadline_ns = lpk_now_ns() + READ_FLUSH_NS;
	const struct ram_device *device;
	struct lpk_console_stats stats;
	int result;

	if (console == NULL || console->driver != &lpk_ram_driver ||
	    buf == NULL || size_bytes == 0)
		return -LPK_EINVAL;
	device = console->device;
	if (device == NULL || device->region == NULL)
		return -LPK_EINVAL;
	pthread_mutex_lock(&reading);
	lpk_console_stats(console, &stats);
	/* Nothing hangs in here; who is in it is only slow to get on. */
	do
		result = lpk_console_suspend(console, deadline_ns);
	while (result == -LPK_EBUSY && lpk_now_ns() < deadline_ns);
	if (result != -LPK_EBUSY)
		result = copy_lines(device, buf, size_bytes);
	if (stats.state != LPK_CONSOLE_SUSPENDED)
		lpk_console_resume(console);
	pthread_mutex_unlock(&reading);
	return result;
}

const struct lpk_console_driver lpk_ram_driver = {
    .name = "ram",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .device_bytes = sizeof(struct ram_device),
    .option = ram_option,
    .setup = ram_setup,
    .exit = ram_exit,
    .write = ram_write,
    .write_on_panic = ram_write,
};
