/* SPDX-License-Identifier: MIT */
/*
 * config.h of the models - found before that of include/: so few places in a
 * reader that a client fills them.
 */
#ifndef MODEL_LPK_CONFIG_H
#define MODEL_LPK_CONFIG_H

#define LPK_STREAMS_MAX 4
#define LPK_LATE_MAX 2
#define LPK_NAMES_MAX 4

#include "../../../include/lpk/config.h"

#endif /* MODEL_LPK_CONFIG_H */
