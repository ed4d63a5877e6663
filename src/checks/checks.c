/* checks - THE ordered list: what comes first is asked first, in every phase. authres stands behind those whose
 * results it writes down, autoreply behind all: it acts on what they let pass. */
#include "checks/attachments.h"
#include "checks/authres.h"
#include "checks/autoreply.h"
#include "checks/dkim.h"
#include "checks/dmarc.h"
#include "checks/helo.h"
#include "checks/recipients.h"
#include "checks/spf.h"

const struct check *const checks[] = {&check_helo, &check_recipients,  &check_spf,    &check_dkim,
                                      &check_dmarc, &check_attachments, &check_authres, &check_autoreply};
const size_t check_count = sizeof checks / sizeof *checks;
