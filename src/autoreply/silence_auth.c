/*
 * silence_auth - whether the reply would go to somebody who did not write (RFC 3834 section 6: backscatter).
 *
 * A reply goes to the reverse-path, which anybody can write there. What SPF, DKIM and DMARC found out is taken at its
 * word: a fail of SPF or DMARC is silence even if the other one passes, because a reply too few harms nobody. Of
 * several DKIM signatures one that passes is enough, for lists and gateways break those before them.
 *
 * Who has logged in, or sits on this host, is not asked. A trusted client may be a relay that lets strangers in: what
 * was found out counts, but where nobody looked nothing is missing.
 */
#include "autoreply/silence_private.h"

static bool has_dkim(const struct auth_dkim *dkim, enum auth_result result)
{
    for (size_t i = 0; dkim && i < dkim->count; i++) {
        if (dkim->signatures[i].result == result)
            return true;
    }
    return dkim && dkim->result == result;
}

static const char *say(const struct silence_case *given, const char *method, enum auth_result result)
{
    return arena_printf(given->arena, "%s says %s", method, auth_result_name(result));
}

static bool is_doubtful(enum auth_result result)
{
    return result == AUTH_FAIL || result == AUTH_TEMPERROR;
}

/* DMARC speaks of the author, and who signs as himself may write anybody into the reverse-path: it counts where that is
 * the author's domain, or one of the same organizational domain. */
static bool is_vouched_for(const struct silence_case *given, const struct auth_dmarc *dmarc)
{
    const char *domain = given->plain.domain;
    if (!dmarc || dmarc->result != AUTH_PASS || !given->is_address)
        return false;
    return (dmarc->author_domain && strcmp(domain, dmarc->author_domain) == 0) ||
           (dmarc->org_domain && domain_is_within(domain, dmarc->org_domain));
}

const char *silence_forged(const struct silence_case *given)
{
    const struct silence_question *question = given->question;
    const struct auth_spf *spf = question->spf;
    const struct auth_dmarc *dmarc = question->dmarc;
    if (question->require_auth == SILENCE_AUTH_OFF || question->is_own_user)
        return NULL;
    if (dmarc && is_doubtful(dmarc->result))
        return say(given, "DMARC", dmarc->result);
    if (spf && (is_doubtful(spf->result) || is_doubtful(spf->mailfrom_result)))
        return say(given, "SPF", is_doubtful(spf->result) ? spf->result : spf->mailfrom_result);
    if (!has_dkim(question->dkim, AUTH_PASS)) {
        if (has_dkim(question->dkim, AUTH_FAIL))
            return say(given, "DKIM", AUTH_FAIL);
        if (has_dkim(question->dkim, AUTH_TEMPERROR))
            return say(given, "DKIM", AUTH_TEMPERROR);
    }
    bool is_asked = !question->is_trusted || spf || dmarc;
    if (question->require_auth == SILENCE_AUTH_PASS && is_asked && !is_vouched_for(given, dmarc) &&
        !(spf && spf->mailfrom_result == AUTH_PASS))
        return "neither SPF for MAIL FROM nor DMARC for its domain says pass";
    return NULL;
}
