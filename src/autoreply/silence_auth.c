/*
 * silence_auth - whether the reply would go to somebody who did not write (RFC 3834 section 6: backscatter).
 *
 * A reply goes to the reverse-path, which anybody can write there. What SPF, DKIM and DMARC found out is taken at its
 * word: a fail of SPF or DMARC is silence even if the other one passes, because a reply too few harms nobody. Of
 * several DKIM signatures one that passes is enough, for lists and gateways break those before them.
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
    if (question->require_auth == SILENCE_AUTH_PASS && !(dmarc && dmarc->result == AUTH_PASS) &&
        !(spf && spf->mailfrom_result == AUTH_PASS))
        return "neither DMARC nor SPF for MAIL FROM says pass";
    return NULL;
}
