/*
 * settings - the rows of the sections that belong to no check. Those of redis, spool, aliases and forwards are in
 * state_rows.c.
 *
 * The defaults make a Debian installation run: a socket under /run/postern, logging to syslog's mail facility,
 * nobody but the host itself trusted.
 */
#include "core/settings.h"
#include "core/state_rows.h"
#include "core/subject.h"
#include "store/store.h"
#include "util/log.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

static const struct option_word mode_words[] = {
    {"enforce", MODE_ENFORCE}, {"monitor", MODE_MONITOR}, {"off", MODE_OFF}, {NULL, 0}};
static const struct option_word target_words[] = {
    {"syslog", LOG_TO_SYSLOG}, {"stderr", LOG_TO_STDERR}, {"journal", LOG_TO_JOURNAL}, {NULL, 0}};
static const struct option_word format_words[] = {{"kv", LOG_AS_KV}, {"json", LOG_AS_JSON}, {NULL, 0}};
static const struct option_word level_words[] = {
    {"error", LEVEL_ERROR}, {"warning", LEVEL_WARNING}, {"info", LEVEL_INFO}, {"debug", LEVEL_DEBUG}, {NULL, 0}};
static const struct option_word facility_words[] = {
    {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}, {NULL, 0}};

static const char *verify_path(const char *value)
{
    return value[0] == '/' || !value[0] ? NULL : "is no absolute path";
}

static const char *verify_directory(const char *value)
{
    return value[0] == '/' ? NULL : "is no absolute path";
}

static const char *verify_hostname(const char *value)
{
    char name[DOMAIN_MAX + 1];
    return !value[0] || domain_canonical(span_of(value), name) == 0 ? NULL : "is no domain name";
}

static const char *verify_socket(const char *value)
{
    static const char *const kinds[] = {"unix:/", "local:/", "inet:", "inet6:", "/"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strncmp(value, kinds[i], strlen(kinds[i])) != 0)
            continue;
        if (strchr(kinds[i], '/') && strlen(strchr(value, '/')) >= sizeof((struct sockaddr_un *)0)->sun_path)
            return "is a path of more than 107 bytes, which no socket can have";
        return NULL;
    }
    return "is neither unix:/PATH nor inet:PORT@HOST nor inet6:PORT@HOST";
}

static const char *verify_mailbox(const char *value)
{
    const char *at = strrchr(value, '@');
    char name[DOMAIN_MAX + 1];
    if (!*value || strpbrk(value, " \t<>"))
        return "is neither a local part nor user@domain nor @domain";
    return !at || domain_canonical(span_of(at + 1), name) == 0 ? NULL : "has no domain name behind the @";
}

static const char *verify_server(const char *value)
{
    char text[64];
    struct netaddr addr;
    if ((size_t)snprintf(text, sizeof text, "%s", value) >= sizeof text)
        return "is no IP address";
    char *at = strchr(text, '@');
    if (at) {
        *at++ = '\0';
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || digits > 5 || at[digits] || strtol(at, NULL, 10) < 1 || strtol(at, NULL, 10) > 65535)
            return "has no port number from 1 to 65535 behind the @";
    }
    return netaddr_parse(text, &addr) == 0 ? NULL : "is no IP address (a name server cannot be given by name)";
}

static const char *verify_authserv_id(const char *value)
{
    for (const char *p = value; *p; p++) {
        if (*p <= ' ' || *p > '~' || strchr("()<>@,;:\\\"/[]?=", *p))
            return "is no authserv-id: letters, digits, dots and hyphens, as in a host name";
    }
    return strlen(value) <= DOMAIN_MAX ? NULL : "is longer than 253 octets";
}

static const char *verify_store(const char *value)
{
    return value[0] ? store_verify_url(value) : "is empty";
}

/* Short enough for one encoded-word (RFC 2047 2: 75 octets), and whole characters only. */
static const char *verify_tag(const char *value)
{
    if (strlen(value) > 40)
        return "is longer than 40 octets";
    return subject_is_taggable(value) ? NULL : "is no UTF-8 text of one line";
}

#define GENERAL(member) offsetof(struct general_settings, member)
static const struct option_row general_rows[] = {
    {.name = "socket", .type = OPTION_STRING, .offset = GENERAL(socket), .def = "unix:/run/postern/postern.sock",
     .verify = verify_socket,
     .help = "Where the MTA finds Postern: unix:/PATH, inet:PORT@HOST or inet6:PORT@HOST. A change needs a restart."},
    {.name = "socket_owner", .type = OPTION_STRING, .offset = GENERAL(socket_owner),
     .help = "Owner of the unix socket. Empty: the user Postern runs as."},
    {.name = "socket_group", .type = OPTION_STRING, .offset = GENERAL(socket_group),
     .help = "Group of the unix socket; give the MTA's, so that it may connect. Empty: the group that new files get "
             "in its directory."},
    {.name = "socket_mode", .type = OPTION_MODE, .offset = GENERAL(socket_mode), .def = "0660", .max = 0777,
     .help = "Mode of the unix socket, in octal."},
    {.name = "user", .type = OPTION_STRING, .offset = GENERAL(user), .def = "postern",
     .help = "The user to run as when started by root. Empty: stay who you are."},
    {.name = "control", .type = OPTION_STRING, .offset = GENERAL(control), .def = "/run/postern/control",
     .verify = verify_path, .help = "The unix socket on which posternctl talks to posternd."},
    {.name = "hostname", .type = OPTION_STRING, .offset = GENERAL(hostname), .verify = verify_hostname,
     .help = "The name of this mail server, which no stranger may use in HELO. Empty: the system's host name."},
    {.name = "local_domains", .type = OPTION_DOMAINS, .offset = GENERAL(local_domains),
     .help = "The domains whose mail ends here. .example.net means every name below example.net."},
    {.name = "trusted_networks", .type = OPTION_NETWORKS, .offset = GENERAL(trusted_networks),
     .def = "{ \"127.0.0.0/8\", \"::1\" }",
     .help = "Clients of the class trusted: your own hosts and relays, as addresses and networks of both families."},
    {.name = "exempt_recipients", .type = OPTION_WORDS, .offset = GENERAL(exempt_recipients),
     .def = "{ \"postmaster\", \"abuse\" }", .verify = verify_mailbox,
     .help = "Recipients to whom mail is never refused because of HELO, so that a stranger who is refused can ask why: "
             "a local part (at any of local_domains), user@domain, or @domain."},
    {.name = "mode", .type = OPTION_ENUM, .offset = GENERAL(mode), .def = "enforce", .words = mode_words,
     .help = "For all checks that do not say otherwise. enforce: do what they say. monitor: log and count what they "
             "would have done, and let the mail pass. off: run none."},
    {.name = "drain_timeout", .type = OPTION_DURATION, .offset = GENERAL(drain_timeout), .def = "60s", .min = 1000,
     .max = 86400000, .help = "How long open SMTP sessions may go on after SIGTERM before they are cut off."},
    {.name = "authserv_id", .type = OPTION_STRING, .offset = GENERAL(authserv_id), .verify = verify_authserv_id,
     .help = "Our name in the field Authentication-Results (RFC 8601 2.5). Give all machines of a site the same one if "
             "they trust each other's results. Empty: hostname."},
    {.name = "trusted_authserv_ids", .type = OPTION_STRINGS, .offset = GENERAL(trusted_authserv_ids),
     .verify = verify_authserv_id,
     .help = "The authserv-ids of filters that see the message before Postern and that remove forged fields of their "
             "name. Their Authentication-Results fields are kept even if the name is ours, and spf, dkim and dmarc use "
             "them with source = header."},
    {.name = "state_directory", .type = OPTION_STRING, .offset = GENERAL(state_directory), .def = "/var/lib/postern",
     .verify = verify_directory,
     .help = "Where Postern keeps what must survive a restart: the queue of what it sends (section spool). It must be "
             "writable by user."},
    {.name = "store", .type = OPTION_STRING, .offset = GENERAL(store), .def = "sqlite:/var/lib/postern/postern.db",
     .verify = verify_store,
     .help = "Where stored replies are kept, and who was answered: sqlite:/PATH, a file of this machine, or "
             "redis://HOST:PORT/NUMBER (rediss:// with TLS), a Redis or Valkey that several machines share. "
             "redis+unix:/PATH is the socket of one on this machine. USER@ before HOST names a user of it; the password "
             "stands in a file of its own, redis { password_file }."},
    {.name = "tag_subject", .type = OPTION_STRING, .offset = GENERAL(tag_subject), .verify = verify_tag,
     .help = "What to put before the Subject of a message that is tagged or quarantined, such as [suspicious]; up to 40 "
             "octets of UTF-8. It breaks the DKIM signature for whoever checks it after Postern. Empty: leave the "
             "Subject alone; the field X-Postern marks such a message in any case."},
    {0}};

#define LOG(member) offsetof(struct log_settings, member)
static const struct option_row log_rows[] = {
    {.name = "target", .type = OPTION_ENUM, .offset = LOG(target), .def = "syslog", .words = target_words,
     .help = "Where log lines go."},
    {.name = "format", .type = OPTION_ENUM, .offset = LOG(format), .def = "kv", .words = format_words,
     .help = "kv: key=value, for eyes and grep. json: one JSON object a line, for machines."},
    {.name = "level", .type = OPTION_ENUM, .offset = LOG(level), .def = "info", .words = level_words,
     .help = "The least important lines still written. The lines on messages and refused recipients are info."},
    {.name = "facility", .type = OPTION_ENUM, .offset = LOG(facility), .def = "mail", .words = facility_words,
     .help = "The syslog facility."},
    {0}};

#define MESSAGE(member) offsetof(struct message_settings, member)
static const struct option_row message_rows[] = {
    {.name = "directory", .type = OPTION_STRING, .offset = MESSAGE(directory), .def = "/var/spool/postern",
     .verify = verify_directory,
     .help = "Where messages and archives too large for memory are kept while they are looked at, as files without a "
             "name. It must be writable by user. When it is full, the message is answered 452."},
    {.name = "memory", .type = OPTION_SIZE, .offset = MESSAGE(memory), .def = "1M", .min = 0, .max = 1 << 30,
     .help = "Bytes a message may keep in memory; a larger one is kept in a file in directory."},
    {.name = "memory_total", .type = OPTION_SIZE, .offset = MESSAGE(memory_total), .def = "64M", .min = 0,
     .max = (int64_t)1 << 40,
     .help = "Bytes that all messages together may keep in memory; past it even small ones are kept in files."},
    {.name = "max_size", .type = OPTION_SIZE, .offset = MESSAGE(max_size), .def = "200M", .min = 0,
     .max = (int64_t)1 << 40,
     .help = "A message with more bytes is answered 452 4.3.4; keep it above the MTA's own limit. 0: no limit."},
    {.name = "max_header", .type = OPTION_SIZE, .offset = MESSAGE(max_header), .def = "1M", .min = 1024,
     .max = 64 << 20, .help = "A message whose header has more bytes is refused with 554 5.6.0."},
    {0}};

#define DNS(member) offsetof(struct dns_settings, member)
static const struct option_row dns_rows[] = {
    {.name = "servers", .type = OPTION_STRINGS, .offset = DNS(servers), .verify = verify_server,
     .help = "Name servers, as IP or IP@PORT. Empty: those of /etc/resolv.conf."},
    {.name = "timeout", .type = OPTION_DURATION, .offset = DNS(timeout), .def = "5s", .min = 100, .max = 20000,
     .help = "How long to wait for an answer."},
    {.name = "dnssec", .type = OPTION_BOOL, .offset = DNS(dnssec), .def = "no",
     .help = "Validate answers with DNSSEC, from the root anchor in /usr/share/dns/root.key. The name servers must pass "
             "signatures on. Data that fails is treated like an error of the name server."},
    {.name = "cache_size", .type = OPTION_SIZE, .offset = DNS(cache_size), .def = "16M", .min = 64 << 10,
     .max = (int64_t)4 << 30, .help = "Memory for the cache of answers, which all threads share."},
    {.name = "message_budget", .type = OPTION_DURATION, .offset = DNS(message_budget), .def = "20s", .min = 1000,
     .max = 25000,
     .help = "How long one message may wait for the DNS in all its phases together. Past it a look-up counts as timed "
             "out. The check spf may take half of it and dkim three quarters, so that there is always something left for the "
             "policy of the author's domain. Keep it well below the 30s that Postfix waits for an answer."},
    {.name = "message_queries", .type = OPTION_INT, .offset = DNS(message_queries), .def = "100", .min = 10,
     .max = 1000, .help = "How many look-ups one message may cost, shared out likewise. Past it a look-up counts as timed out."},
    {0}};

static const struct conf_section sections[] = {
    {"", "What belongs to no check.", general_rows, sizeof(struct general_settings)},
    {"log", "What Postern writes, and where.", log_rows, sizeof(struct log_settings)},
    {"message", "How messages are kept while they are looked at, and how large they may be.", message_rows,
     sizeof(struct message_settings)},
    {"dns", "Where Postern asks for names and addresses.", dns_rows, sizeof(struct dns_settings)},
    {"redis", "How to talk to the Redis or Valkey of the option store.", settings_redis_rows,
     sizeof(struct redis_settings)},
    {"spool", "How what Postern itself sends leaves this machine.", settings_spool_rows,
     sizeof(struct spool_settings)},
    {"aliases", "Which addresses mean one mailbox.", settings_alias_rows, sizeof(struct alias_settings)},
    {"forwards", "Which addresses Postern itself sends on.", settings_forward_rows, sizeof(struct forward_settings)}};

const struct conf_section *settings_sections(size_t *count)
{
    *count = sizeof sections / sizeof *sections;
    return sections;
}

void settings_resolve(struct settings *settings, const struct conf *conf)
{
    char name[DOMAIN_MAX + 1] = "";
    settings->general = conf_get(conf, "");
    settings->log = conf_get(conf, "log");
    settings->message = conf_get(conf, "message");
    settings->dns = conf_get(conf, "dns");
    settings->redis = conf_get(conf, "redis");
    settings->spool = conf_get(conf, "spool");
    settings->aliases = conf_get(conf, "aliases");
    settings->forwards = conf_get(conf, "forwards");
    settings->content_limits = (struct content_limits){settings->message->directory, settings->message->memory,
                                                       settings->message->memory_total, settings->message->max_size};
    if (settings->general->hostname)
        snprintf(name, sizeof name, "%s", settings->general->hostname);
    else if (gethostname(name, sizeof name) != 0)
        name[0] = '\0';
    name[DOMAIN_MAX] = '\0';
    if (domain_canonical(span_of(name), settings->hostname) != 0)
        snprintf(settings->hostname, sizeof settings->hostname, "localhost");
    settings->authserv_id = settings->general->authserv_id ? settings->general->authserv_id : settings->hostname;
}

bool settings_is_exempt(const struct settings *settings, const char *address)
{
    const struct strset *exempt = settings->general->exempt_recipients;
    char text[512], domain[DOMAIN_MAX + 1];
    if ((size_t)snprintf(text, sizeof text, "%s", address) >= sizeof text)
        return false;
    for (char *p = text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    char *at = strrchr(text, '@');
    struct span local = {text, at ? (size_t)(at - text) : strlen(text)};
    if (!at)
        return strset_has(exempt, local);
    if (strset_has(exempt, span_of(text)) || strset_has(exempt, span_of(at)))
        return true;
    return domain_canonical(span_of(at + 1), domain) == 0 &&
           domain_set_has(settings->general->local_domains, domain) && strset_has(exempt, local);
}
