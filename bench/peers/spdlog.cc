/* SPDX-License-Identifier: MIT */
/*
 * spdlog.cc - spdlog's synchronous logger, and its asynchronous one with a
 * queue that blocks when it is full (its default) and is large.
 */
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "lib_peer.h"

static const size_t queue_items = 262144;

static std::shared_ptr<spdlog::logger> logger;
static spdlog::logger *to;

PEER_CALL(spd_numbers,
    to->info("Logging int: {}, int64: {}, double: {}", integer, wide, real))
PEER_CALL(spd_string,
    to->info("Logging int: {}, int64: {}, string: {}", integer, wide, text))
PEER_CALL(spd_line,
    to->info("Iteration: {} int: {} double: {}", integer, 2 * integer, real))

static void
use(std::shared_ptr<spdlog::logger> made)
{
	logger = made;
	to = logger.get();
	to->set_pattern("[%Y-%m-%d %H:%M:%S.%f][%t] %v");
}

static const char *
begin_sync(const struct peer_job *)
{
	use(spdlog::basic_logger_mt("bench", peer_path("log"), true));
	return nullptr;
}

static const char *
begin_async(const struct peer_job *)
{
	spdlog::init_thread_pool(queue_items, 1);
	use(spdlog::basic_logger_mt<spdlog::async_factory>(
	    "bench", peer_path("log"), true));
	return nullptr;
}

static void
flush_sync(uint64_t)
{
	to->flush();
}

/* The end of the pool is when its thread has written all. */
static void
flush_async(uint64_t)
{
	logger.reset();
	spdlog::shutdown();
}

static uint64_t
end(uint64_t)
{
	logger.reset();
	spdlog::shutdown();
	return peer_count(peer_path("log"), 0);
}

static const struct peer sync_peer = {"spdlog",
    "basic_logger_mt; what is in its buffer dies with the process", begin_sync,
    nullptr, PEER_LOOPS(spd), PEER_STAMPS(spd), nullptr, flush_sync, end};

static const struct peer async_peer = {"spdlog, async",
    "one thread, 262,144 items, blocks when full (the default policy)",
    begin_async, nullptr, PEER_LOOPS(spd), PEER_STAMPS(spd), nullptr,
    flush_async, end};

const struct peer *const peers[] = {&sync_peer, &async_peer, nullptr};
