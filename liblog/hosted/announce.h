/* SPDX-License-Identifier: MIT */
/*
 * announce.h - hand a region to `lpk watch`, which started us.
 */
#ifndef LPK_HOSTED_ANNOUNCE_H
#define LPK_HOSTED_ANNOUNCE_H

/* Names a socket without a file: SOCK_SEQPACKET, "lpk-watch-" and a number. */
#define LPK__WATCH_VARIABLE "LPK_WATCH"
#define LPK__WATCH_PREFIX "lpk-watch-"

/**
 * lpk__announce() - Here is a region that is worth to be held.
 * @fd: its descriptor; negative: nothing is done
 *
 * Nothing is done, either, where nobody watches. It waits for nobody.
 *
 * Context:  init, or the child of a fork.
 */
void lpk__announce(int fd);

#endif /* LPK_HOSTED_ANNOUNCE_H */
