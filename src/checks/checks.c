/* checks - THE ordered list: what comes first is asked first, in every phase. */
#include "checks/attachments.h"
#include "checks/helo.h"
#include "checks/recipients.h"

const struct check *const checks[] = {&check_helo, &check_recipients, &check_attachments};
const size_t check_count = sizeof checks / sizeof *checks;
