/*
 * state_rows - options of what is kept and of what is sent.
 *
 * The files that they name are opened by the rooms that read them, when a service starts; here is only looked at what
 * can be said of a value alone.
 */
#include "core/state_rows.h"
#include "aliases/aliases.h"
#include "core/settings.h"
#include "spool/spool.h"
#include "srs/forwards.h"
#include <ctype.h>
#include <string.h>

static const char *verify_file(const char *value)
{
    return value[0] == '/' || !value[0] ? NULL : "is no absolute path";
}

static const char *verify_delimiter(const char *value)
{
    for (const char *p = value; *p; p++) {
        if (isalnum((unsigned char)*p) || (unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("@.\"<>", *p))
            return "holds a character that cannot separate an extension";
    }
    return NULL;
}

#define REDIS(member) offsetof(struct redis_settings, member)
const struct option_row settings_redis_rows[] = {
    {.name = "prefix", .type = OPTION_STRING, .offset = REDIS(prefix), .def = "postern:",
     .help = "What every key begins with, so that several uses can share one server."},
    {.name = "password_file", .type = OPTION_STRING, .offset = REDIS(password_file), .verify = verify_file,
     .help = "A file whose first line is the password, or USER:PASSWORD. It must not be readable by others. Empty: "
             "none."},
    {.name = "ca_file", .type = OPTION_STRING, .offset = REDIS(ca_file), .verify = verify_file,
     .help = "The certificates that a rediss:// server is verified with. Empty: those of the system."},
    {.name = "timeout", .type = OPTION_DURATION, .offset = REDIS(timeout), .def = "2s", .min = 50, .max = 10000,
     .help = "How long one question to the store may take, SQLite's too. Past it the store counts as down: mail goes on, "
             "and no automatic reply is sent."},
    {0}};

#define SPOOL(member) offsetof(struct spool_settings, member)
const struct option_row settings_spool_rows[] = {
    {.name = "submit", .type = OPTION_STRING, .offset = SPOOL(submit), .def = "smtp://127.0.0.1:25",
     .verify = spool_verify_url,
     .help = "The MTA that takes what Postern sends, as smtp://HOST:PORT or smtps://HOST:PORT. It must let this host "
             "relay. smtp:// is not encrypted, unless ?starttls stands at the end: then it must be. A certificate is "
             "verified with those of the system, or with those in FILE with ?ca=/FILE at the end (both: "
             "?starttls&ca=/FILE). USER:PASSWORD@ before HOST logs in, if the MTA offers AUTH; an @, a colon or a slash in "
             "them is written %40, %3A, %2F. The configuration is a secret then."},
    {.name = "max_messages", .type = OPTION_INT, .offset = SPOOL(max_messages), .def = "10000", .min = 1,
     .max = 10000000, .help = "How many messages may wait. Past it nothing new is queued: no replies are sent."},
    {.name = "max_bytes", .type = OPTION_SIZE, .offset = SPOOL(max_bytes), .def = "100M", .min = 64 << 10,
     .max = (int64_t)1 << 40, .help = "How many bytes they may have together; past it likewise."},
    {.name = "lifetime", .type = OPTION_DURATION, .offset = SPOOL(lifetime), .def = "2d", .min = 60000,
     .max = 864000000, .help = "How long a message is tried before it is given up; and from its end on, how long it is tried to do "
                               "what follows from that (release the memory of a reply that was not sent)."},
    {.name = "retry_first", .type = OPTION_DURATION, .offset = SPOOL(retry_first), .def = "1m", .min = 100,
     .max = 86400000, .help = "How long to wait after the first attempt that failed for the time being; twice as long after each "
                              "further one."},
    {.name = "retry_most", .type = OPTION_DURATION, .offset = SPOOL(retry_most), .def = "1h", .min = 100,
     .max = 86400000, .help = "The longest wait between two attempts."},
    {.name = "timeout", .type = OPTION_DURATION, .offset = SPOOL(timeout), .def = "60s", .min = 1000, .max = 600000,
     .help = "How long to wait for each answer of that MTA."},
    {0}};

#define ALIASES(member) offsetof(struct alias_settings, member)
const struct option_row settings_alias_rows[] = {
    {.name = "tables", .type = OPTION_STRINGS, .offset = ALIASES(tables), .verify = aliases_verify_table,
     .help = "The alias tables of the MTA, as text: virtual:/PATH in the form of Postfix's virtual(5), aliases:/PATH in "
             "that of aliases(5), csv:/PATH with lines ADDRESS,TARGET. A table that changes is read again within two "
             "seconds; a bad new version is logged, and the old one stays in use."},
    {.name = "domains", .type = OPTION_STRINGS, .offset = ALIASES(domains), .verify = aliases_verify_domain,
     .help = "Domains that are another one under a second name: \"example.org=example.net\" says that every address "
             "of example.net exists at example.org again."},
    {.name = "recipient_delimiter", .type = OPTION_STRING, .offset = ALIASES(recipient_delimiter), .def = "+",
     .verify = verify_delimiter,
     .help = "The characters of which the first one ends the mailbox in a local part, as Postfix's recipient_delimiter: "
             "user+lists means user. Empty: none."},
    {0}};

#define FORWARDS(member) offsetof(struct forward_settings, member)
const struct option_row settings_forward_rows[] = {
    {.name = "table", .type = OPTION_STRING, .offset = FORWARDS(table), .verify = forwards_verify_table,
     .help = "The forward table: csv:/PATH, a file with lines ADDRESS,TARGET,DELETE, or store, rows that posternctl "
             "forwards manages. DELETE is 1 if the address itself gets no copy, else 0; @domain as an address stands for "
             "those of the domain that have no line. A file that changes is read again within two seconds; a bad new "
             "version is logged, and the old one stays in use. Empty: Postern forwards nothing by itself."},
    {0}};
