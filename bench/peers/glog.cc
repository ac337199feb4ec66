/* SPDX-License-Identifier: MIT */
/*
 * glog.cc - glog to one file, buffered (the default for INFO).
 */
#include <glob.h>

#include <gflags/gflags.h>
#include <glog/logging.h>

#include "lib_peer.h"

PEER_CALL(glog_numbers,
    LOG(INFO) << "Logging int: " << integer << ", int64: " << wide
	      << ", double: " << real)
PEER_CALL(glog_string,
    LOG(INFO) << "Logging int: " << integer << ", int64: " << wide
	      << ", string: " << text)
PEER_CALL(glog_line,
    LOG(INFO) << "Iteration: " << integer << " int: " << 2 * integer
	      << " double: " << real)

static const char *
begin(const struct peer_job *job)
{
	FLAGS_logtostderr = false;
	FLAGS_alsologtostderr = false;
	FLAGS_stderrthreshold = google::GLOG_FATAL;
	FLAGS_logbuflevel = google::GLOG_INFO;
	FLAGS_log_dir = job->folder;
	/* Else it tells the kernel what to forget, every now and then. */
	google::SetCommandLineOption("drop_log_memory", "false");
	google::InitGoogleLogging("bench");
	google::SetLogDestination(google::GLOG_INFO, peer_path("glog-"));
	google::SetLogSymlink(google::GLOG_INFO, "");
	return nullptr;
}

static void
flush(uint64_t)
{
	google::FlushLogFiles(google::GLOG_INFO);
}

/* It puts the time and its process id behind the name. */
static uint64_t
end(uint64_t)
{
	uint64_t count = 0;
	glob_t found;

	google::ShutdownGoogleLogging();
	if (glob(peer_path("glog-*"), 0, nullptr, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			count += peer_count(found.gl_pathv[i], 0);
		globfree(&found);
	}
	return count;
}

static const struct peer by_glog = {"glog",
    "LOG(INFO) to one file, buffered; what is in the buffer dies with the "
    "process",
    begin, nullptr, PEER_LOOPS(glog), PEER_STAMPS(glog), nullptr, flush, end};

const struct peer *const peers[] = {&by_glog, nullptr};
