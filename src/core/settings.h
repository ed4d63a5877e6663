/*
 * settings - the options that belong to no check: the top level of postern.conf, and log, message, dns, redis,
 * spool, aliases, forwards.
 *
 * OWNS: nothing; members live in the configuration's arena. THREADS: read-only.
 */
#ifndef POSTERN_CORE_SETTINGS_H
#define POSTERN_CORE_SETTINGS_H

#include "conf/conf.h"
#include "core/content.h"
#include "util/domain.h"
#include "util/netaddr.h"
#include "util/strset.h"

enum check_mode { MODE_ENFORCE, MODE_MONITOR, MODE_OFF, MODE_GLOBAL };
enum on_error { ON_ERROR_TEMPFAIL, ON_ERROR_ACCEPT };

struct general_settings { /* section "" */
    const char *socket;        /* "unix:/run/postern/postern.sock", "inet:8891@127.0.0.1", "inet6:8891@::1" */
    const char *socket_owner, *socket_group;
    int64_t socket_mode;
    const char *user;          /* NULL = stay who we are */
    const char *control;       /* path of the control socket */
    const char *hostname;      /* NULL = gethostname() */
    const struct domain_set *local_domains;
    const struct netset *trusted_networks;
    const struct strset *exempt_recipients; /* "local-part" (of a local domain), "user@domain", "@domain" */
    int mode;                  /* enum check_mode */
    int64_t drain_timeout;     /* ms */
    const char *state_directory; /* state of this machine alone: the spool */
    const char *store;         /* URL of what machines may share, as store.h says */
    const char *tag_subject;   /* UTF-8; NULL: leave the Subject alone */
    const char *authserv_id;   /* NULL = hostname; see settings.authserv_id */
    const struct string_list *trusted_authserv_ids; /* of filters before us */
};

struct log_settings { /* section "log" */
    int target, format, level, facility;
};

struct message_settings { /* section "message" */
    const char *directory;
    uint64_t memory, memory_total, max_size, max_header;
};

struct dns_settings { /* section "dns" */
    const struct string_list *servers;
    int64_t timeout; /* ms, of one query */
    bool dnssec;
    uint64_t cache_size;     /* bytes */
    int64_t message_budget;  /* ms that the look-ups of one message may take in all */
    int64_t message_queries; /* that one message may cost */
};

struct redis_settings { /* section "redis": of store = "redis://..." */
    const char *prefix, *password_file, *ca_file;
    int64_t timeout; /* ms */
};

struct spool_settings { /* section "spool" */
    const char *submit;        /* URL of the MTA that takes what we send */
    uint64_t max_bytes;
    int64_t max_messages;
    int64_t lifetime, retry_first, retry_most, timeout; /* ms */
};

struct alias_settings { /* section "aliases" */
    const struct string_list *tables, *domains;
    const char *recipient_delimiter;
};

struct forward_settings { /* section "forwards" */
    const char *table;    /* "csv:/PATH", "store"; NULL: none */
};

/* All of them in one place, resolved: what the core and the checks read. */
struct settings {
    const struct general_settings *general;
    const struct log_settings *log;
    const struct message_settings *message;
    const struct dns_settings *dns;
    const struct redis_settings *redis;
    const struct spool_settings *spool;
    const struct alias_settings *aliases;
    const struct forward_settings *forwards;
    struct content_limits content_limits;
    char hostname[DOMAIN_MAX + 1]; /* canonical */
    const char *authserv_id;       /* ours in Authentication-Results; the option or else hostname */
};

/* The four sections, for conf_load(); *COUNT says how many. */
const struct conf_section *settings_sections(size_t *count);

void settings_resolve(struct settings *settings, const struct conf *conf);

/* True if the mailbox is on exempt_recipients: whole, by @domain, or by the local part alone at a local domain or at
 * no domain ("postmaster", RFC 5321 4.5.1). */
bool settings_is_exempt(const struct settings *settings, const char *address);

#endif
