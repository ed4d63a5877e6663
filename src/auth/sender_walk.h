/*
 * sender_walk - what the two halves of the builtin engine share: sender_builtin.c walks over the terms of records,
 * sender_mechanism.c says whether one of them matches. Only for these two.
 *
 * OWNS: nothing; texts live on the arena of the query. THREADS: a walk belongs to one evaluation.
 */
#ifndef POSTERN_AUTH_SENDER_WALK_H
#define POSTERN_AUTH_SENDER_WALK_H

#include "auth/sender_eval.h"
#include "auth/sender_macro.h"

struct sender_walk {
    const struct sender_query *query;
    struct sender_answer *answer;
    const char *validated; /* p of the macros, once it was looked for */
    const char *validated_for;
    int64_t reverse_deadline_us; /* for the look-ups of the client's names; 0: none yet */
};

/* A domain under evaluation. */
struct sender_frame {
    struct sender_walk *walk;
    const char *domain;
    struct sender_record record;
    bool is_prefetched;
};

enum sender_match { MATCH_NO, MATCH_YES, MATCH_TEMPERROR, MATCH_PERMERROR };

/* TEXT with its macros replaced. */
const char *sender_expand(struct sender_frame *frame, const char *text, enum sender_macro_kind kind);

/* The domain that TERM is about. */
const char *sender_target(struct sender_frame *frame, const struct sender_term *term);

/* NXDOMAIN for what cannot be asked for. */
const struct dns_answer *sender_ask(struct sender_walk *walk, const char *name, enum dns_type type);

/* Starts the look-ups of the terms from NUMBER on whose names are known; once a frame. */
void sender_prefetch(struct sender_frame *frame, size_t number);

/* ip4, ip6. */
enum sender_match sender_match_address(const struct sender_query *query, const struct sender_term *term);

/* a, mx, ptr, exists. */
enum sender_match sender_match_names(struct sender_frame *frame, const struct sender_term *term);

#endif
