/*
 * state_rows - the option rows of the sections redis, spool, aliases and forwards, for settings.c. THREADS: constants.
 */
#ifndef POSTERN_CORE_STATE_ROWS_H
#define POSTERN_CORE_STATE_ROWS_H

#include "conf/conf.h"

extern const struct option_row settings_redis_rows[], settings_spool_rows[], settings_alias_rows[],
    settings_forward_rows[];

#endif
