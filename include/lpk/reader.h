/* SPDX-License-Identifier: MIT */
/*
 * reader.h - read the records of a log. Any number of readers, each with a
 * cursor of its own; none writes to the ring, and none is noticed by writers.
 *
 * | operation          | context | excludes                               |
 * |--------------------|---------|----------------------------------------|
 * | lpk_reader_open    | any     | use of the same reader                 |
 * | lpk_reader_seek    | any     | use of the same reader                 |
 * | lpk_reader_next    | any     | use of the same reader                 |
 * | lpk_reader_wait    | thread  | use of the same reader                 |
 * | lpk_reader_eventfd | thread  | use of the same reader                 |
 * | lpk_reader_close   | thread  | use of the same reader                 |
 * | lpk_record_print   | any     | -                                      |
 */
#ifndef LPK_READER_H
#define LPK_READER_H

#include <lpk/log.h>

LPK_BEGIN_DECLS

/* record->flags */
#define LPK_RECORD_TRUNCATED 0x01u /* the text was cut; it ends in a mark */
#define LPK_RECORD_CONT 0x02u      /* goes on with its caller's last line */
#define LPK_RECORD_OPEN 0x04u      /* the line does not end here */
#define LPK_RECORD_INJECTED 0x08u  /* somebody else's text, not a call here */
#define LPK_RECORD_LATE 0x10u      /* its writer was stopped half way */
#define LPK_RECORD_KV 0x20u        /* key/values follow the text */
#define LPK_RECORD_NOTICE 0x40u    /* a console's own words, not a record */

/* One record as a reader gets it. */
struct lpk_record {
	uint64_t seq;     /* see lpk_reader_next() */
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t
	    realtime_ns; /* since 1970; 0 where the port has no such clock */
	uint32_t caller; /* thread id; LPK_CALLER_HANDLER in a handler */
	uint32_t flags;  /* LPK_RECORD_* */
	uint32_t text_bytes; /* without the NUL */
	uint32_t kv_bytes;   /* of "KEY=value" strings behind the text's NUL, */
	/* each with a NUL of its own */
	uint8_t level;    /* enum lpk_level */
	uint8_t facility; /* 0, or syslog's number of injected text */
	char thread[LPK_THREAD_NAME_BYTES]; /* "" where not known */
	uint32_t line;                      /* of the call; 0 where not known */
	/* In the log, and valid as long as it is; NULL where not known. */
	const char *subsystem;
	const char *file;
	const char *function;
};

enum lpk_seek {
	LPK_SEEK_OLDEST, /* the oldest record that is kept */
	LPK_SEEK_NEXT,   /* the next one to be stored */
	LPK_SEEK_CLEAR,  /* the first one after the last lpk_log_clear() */
	LPK_SEEK_SEQ     /* the record with a given seq, or the next kept one */
};

struct lpk__stream {
	unsigned long life;
	unsigned long past;
	uint64_t opened;     /* when, raw; its records were reserved later */
	uint64_t time;       /* of the next finished record, raw */
	uint64_t held_since; /* when an unfinished record was met, raw */
	uint32_t block;
	uint8_t state; /* enum peek of reader.c */
};

struct lpk__late {
	unsigned long life;
	uint32_t block;
	uint32_t slot;
};

/* ns = base_ns + ((raw - base_raw) * mult >> shift) */
struct lpk__scale {
	uint64_t base_raw;
	uint64_t base_ns;
	uint64_t realtime_offset_ns; /* 0 where not known */
	uint32_t mult;
	uint32_t shift;
};

/* A cursor. All of it is the library's business but lost and lost_total. */
struct lpk_reader {
	const struct lpk_log *log;
	uint64_t seq;        /* of the next record */
	uint64_t lost;       /* in the gap that -LPK_EPIPE reported last */
	uint64_t lost_total; /* since the reader was opened */
	uint64_t lost_new;   /* not yet reported */
	unsigned long order; /* of the log when streams were last looked for */
	bool stale;          /* look for streams again */
	bool more;           /* some found no room in the table */
	bool eager;          /* wait for no unfinished record */
	uint32_t streams;
	uint32_t lates;
	int event_fd;
	struct lpk__stream stream[LPK_STREAMS_MAX];
	struct lpk__late late[LPK_LATE_MAX];
	unsigned long
	    done[LPK_BLOCKS_MAX]; /* records of each block accounted */
	struct lpk__scale scale;
	unsigned long scale_seq; /* of the clock it was made from */
};

/**
 * lpk_reader_open() - Start reading a log.
 * @reader: about 4 KiB, owned by the caller; nothing is allocated
 * @log:    must outlive the reader
 * @where:  LPK_SEEK_OLDEST, LPK_SEEK_NEXT or LPK_SEEK_CLEAR
 *
 * The seq of the first record is the number of records stored before it. On
 * 32-bit machines that number is exact while no block has held 2^32 records.
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   LPK_OK or -LPK_EINVAL.
 */
LPK_API int lpk_reader_open(
    struct lpk_reader *reader, const struct lpk_log *log, enum lpk_seek where);

/**
 * lpk_reader_seek() - Move the cursor.
 * @reader: an open reader
 * @where:  any of enum lpk_seek
 * @seq:    for LPK_SEEK_SEQ: the record wanted
 *
 * Readers that were opened at different times number the records of a log of
 * several lanes alike only in sum: which of two records of the same instant
 * comes first may differ. With one lane the numbers are those of every reader.
 *
 * A record that is no longer kept leaves the cursor at the oldest one; the
 * next call of lpk_reader_next() then tells how many are missing. A seq of
 * the future leaves it behind the newest record.
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   LPK_OK or -LPK_EINVAL.
 */
LPK_API int lpk_reader_seek(
    struct lpk_reader *reader, enum lpk_seek where, uint64_t seq);

/**
 * lpk_reader_next() - Copy the next record and move past it.
 * @reader:     cursor; one thread at a time
 * @record:     filled in on LPK_OK
 * @text:       receives the text and a NUL, then the key/values
 * @size_bytes: of @text; LPK_TEXT_MAX + 1 always suffices
 *
 * Records of one thread come in the order of its calls, and a record that was
 * stored before another one was begun comes before it. Others are merged by
 * their time. A record whose writer is stopped half way is waited for during
 * LPK_GRACE_NS; the later ones of its block, and what comes after those in
 * time, are held back so long. Then they come first, and it follows, flagged
 * LPK_RECORD_LATE, when it is finished.
 *
 * Seq grows by one a record and jumps by exactly what was lost.
 *
 * Context:  any, signal handlers included.
 * Progress: wait-free unless lapped; a lapped read goes on with the oldest
 *           record.
 * Return:   LPK_OK; -LPK_EAGAIN when there is no newer record; -LPK_EPIPE
 *           once after records were lost (@reader->lost tells how many);
 *           -LPK_ENOSPC when @size_bytes is too small (record not consumed);
 *           -LPK_EINVAL.
 */
LPK_API int lpk_reader_next(struct lpk_reader *reader,
    struct lpk_record *record, char *text, size_t size_bytes);

/**
 * lpk_reader_wait() - Sleep until there is something to read.
 * @reader:      an open reader of this process
 * @deadline_ns: CLOCK_MONOTONIC; UINT64_MAX: none
 *
 * Context:  thread; may block.
 * Return:   LPK_OK when lpk_reader_next() has something; -LPK_ETIMEDOUT.
 */
LPK_API int lpk_reader_wait(struct lpk_reader *reader, uint64_t deadline_ns);

/**
 * lpk_reader_eventfd() - A descriptor for poll(2) and its kin.
 * @reader: an open reader of this process
 *
 * The descriptor becomes readable when a record follows one after which
 * lpk_reader_next() had returned -LPK_EAGAIN; that return also makes it
 * unreadable again. It is closed by lpk_reader_close().
 *
 * Context:  thread.
 * Return:   the descriptor; -LPK_EBUSY when 16 others exist; -LPK_EIO;
 *           -LPK_ENOSYS where the kernel has no membarrier(2); -LPK_EINVAL.
 */
LPK_API int lpk_reader_eventfd(struct lpk_reader *reader);

/**
 * lpk_reader_close() - Release what a reader holds (its descriptor).
 * @reader: an open reader; one without a descriptor needs no closing
 *
 * Context:  thread.
 */
LPK_API void lpk_reader_close(struct lpk_reader *reader);

/* How lpk_record_print() writes a record. */
enum lpk_style {
	LPK_STYLE_TEXT,   /* "[    5.123456] text", as the kernel's console */
	LPK_STYLE_CALLER, /* "[    5.123456][ T1234] text" */
	LPK_STYLE_PRIO,   /* "<6>[    5.123456] text", as `dmesg -r` */
	LPK_STYLE_KMSG    /* "6,12,5123456,-;text" and key/values, /dev/kmsg */
};

/**
 * lpk_record_print() - Render a record as a line, or as lines.
 * @record:     from lpk_reader_next()
 * @text:       likewise
 * @style:      which format
 * @line:       receives the lines, each with its newline, and a NUL
 * @size_bytes: of @line
 *
 * A newline inside the text starts a line with a prefix of its own. Bytes that
 * a terminal would obey (control bytes, C1, invalid UTF-8, direction
 * overrides) are written as \xNN; LPK_STYLE_KMSG escapes as /dev/kmsg does.
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   bytes of the whole rendering, without the NUL; when that is
 *           @size_bytes or more, @line holds its beginning. 0 when @record or
 *           @text is NULL.
 */
LPK_API size_t lpk_record_print(const struct lpk_record *record,
    const char *text, enum lpk_style style, char *line, size_t size_bytes);

LPK_END_DECLS

#endif /* LPK_READER_H */
