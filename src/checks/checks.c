/* checks - THE ordered list: what comes first is asked first, in every phase. authres stands behind those whose
 * results it writes down; srs and autoreply behind all: they act on what the others let pass, and a message that loops
 * is not replied to. */
#include "checks/attachments.h"
#include "checks/authres.h"
#include "checks/autoreply.h"
#include "checks/bounces.h"
#include "checks/dkim.h"
#include "checks/dmarc.h"
#include "checks/helo.h"
#include "checks/recipients.h"
#include "checks/spf.h"
#include "checks/srs.h"

const struct check *const checks[] = {&check_helo,  &check_recipients,  &check_bounces, &check_spf, &check_dkim,
                                      &check_dmarc, &check_attachments, &check_authres, &check_srs, &check_autoreply};
const size_t check_count = sizeof checks / sizeof *checks;
