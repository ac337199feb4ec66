/* SPDX-License-Identifier: MIT */
/*
 * error.c - what the library says of itself: return codes and version.
 */
#include <lpk/base.h>

const char *
lpk_version(void)
{
	return LPK_VERSION;
}

const char *
lpk_strerror(int code)
{
	/* Negative, since not every negative number has a positive one. */
	switch (code > 0 ? -code : code) {
	case LPK_OK:
		return "success";
	case -LPK_ENOENT:
		return "no such record, subsystem or console";
	case -LPK_EIO:
		return "the device refused";
	case -LPK_EAGAIN:
		return "no newer record";
	case -LPK_ENOMEM:
		return "the memory handed over is too small";
	case -LPK_EBUSY:
		return "in use, or already started";
	case -LPK_EINVAL:
		return "an argument makes no sense";
	case -LPK_ENOSPC:
		return "too small to hold it";
	case -LPK_EPIPE:
		return "records were lost";
	case -LPK_ENOSYS:
		return "not available on this platform";
	case -LPK_ETIMEDOUT:
		return "the deadline passed first";
	default:
		return "unknown error code";
	}
}
