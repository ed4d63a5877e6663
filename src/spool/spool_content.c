/*
 * spool_content - pieces from the queue, dots doubled, in blocks to the MTA.
 */
#include "spool/spool_content.h"
#include "spool/spool_stuff.h"

const char *spool_content_send_block(struct spool_wire *wire, struct strbuf *block)
{
    bool is_sent = block->len == 0 || spool_wire_send(wire, (struct span){block->ptr, block->len}) == 0;
    block->len = 0;
    return is_sent ? NULL : spool_wire_problem(wire);
}

const char *spool_content_send(struct spool_wire *wire, struct spool_delivery *delivery, struct strbuf *block)
{
    struct spool_stuff stuff = {0};
    const char *problem = NULL;
    for (bool at_end = false; !at_end && !problem;) {
        struct span piece;
        if (!delivery->read(delivery->context, &piece))
            return "the content cannot be read from the queue";
        at_end = piece.len == 0;
        while (piece.len > 0 && !problem) {
            size_t n = piece.len < SPOOL_BLOCK_SIZE ? piece.len : SPOOL_BLOCK_SIZE;
            problem = spool_content_send_block(wire, block);
            spool_stuff_add(&stuff, (struct span){piece.ptr, n}, block);
            piece.ptr += n;
            piece.len -= n;
        }
    }
    spool_stuff_end(&stuff, block);
    return problem;
}
