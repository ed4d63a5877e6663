/* checks - THE ordered list: what comes first is asked first, in every phase. authres stays last: it writes down what
 * the others found. */
#include "checks/attachments.h"
#include "checks/authres.h"
#include "checks/dkim.h"
#include "checks/dmarc.h"
#include "checks/helo.h"
#include "checks/recipients.h"
#include "checks/spf.h"

const struct check *const checks[] = {&check_helo, &check_recipients,  &check_spf,    &check_dkim,
                                      &check_dmarc, &check_attachments, &check_authres};
const size_t check_count = sizeof checks / sizeof *checks;
