/* Packets in words, for --trace. */
#include "network.h"

#include <stdio.h>

static const char *const kinds[] = {"HELLO", "PROOF",  "OPEN", "OPENED", "CLOSE",   "DATA",  "ACK", "POINT",  "COMPARE",
                                    "WANT",  "CREDIT", "LIST", "REPOS",  "CERTIFY", "AGAIN", "BYE", "REFUSE", "LOST"};

static int describe_one(const gt_message *message, char *out, size_t size) {
    const char *name = (size_t)message->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[message->kind] : "?";
    int at = snprintf(out, size, "%s", name);
    if (at < 0 || (size_t)at >= size) return 0;
    out += at;
    size -= (size_t)at;
    uint32_t channel = message->channel;
    switch (message->kind) {
    case GT_MESSAGE_OPEN:
        at += snprintf(out, size, " %u %.*s flags %u count %llu%s", channel, (int)message->as.open.path.len,
                       (const char *)message->as.open.path.data, message->as.open.flags,
                       (unsigned long long)message->as.open.count,
                       message->as.open.point.data == NULL ? "" : " with a point");
        break;
    case GT_MESSAGE_OPENED:
        at += snprintf(out, size, " %u how %u bytes %llu count %llu", channel, message->as.opened.how,
                       (unsigned long long)message->as.opened.bytes, (unsigned long long)message->as.opened.count);
        break;
    case GT_MESSAGE_CLOSE:
    case GT_MESSAGE_BYE:
        at += snprintf(out, size, " %u %d %.*s", channel, message->as.close.status, (int)message->as.close.text.len,
                       (const char *)message->as.close.text.data);
        break;
    case GT_MESSAGE_DATA:
        at += snprintf(out, size, " %u flags %u records %u", channel, message->as.data.flags, message->as.data.count);
        break;
    case GT_MESSAGE_ACK: at += snprintf(out, size, " %u of %u", channel, message->as.ack.ids.count); break;
    case GT_MESSAGE_POINT:
        at += snprintf(out, size, " %u behind %llu", channel, (unsigned long long)message->as.point.behind);
        break;
    case GT_MESSAGE_COMPARE:
        at += snprintf(out, size, " %u run %u step %u count %llu", channel, message->as.compare.run,
                       message->as.compare.step, (unsigned long long)message->as.compare.count);
        break;
    case GT_MESSAGE_WANT: at += snprintf(out, size, " %u of %u", channel, message->as.want.ids.count); break;
    case GT_MESSAGE_LOST: at += snprintf(out, size, " %u of %u", channel, message->as.lost.ids.count); break;
    case GT_MESSAGE_AGAIN: at += snprintf(out, size, " %u", channel); break;
    case GT_MESSAGE_REFUSE:
        at += snprintf(out, size, " %u %d %.*s", channel, message->as.refuse.status, (int)message->as.refuse.text.len,
                       (const char *)message->as.refuse.text.data);
        break;
    default: break;
    }
    return at;
}

void sim_packet_describe(gt_bytes packet, char *out, size_t size) {
    gt_arena arena;
    gt_message message;
    size_t at = 0;
    out[0] = 0;
    gt_arena_init(&arena, &gt_alloc_system);
    while (packet.len > 0 && at + 2 < size && gt_message_read(&packet, &arena, &message, NULL) == GOAT_OK) {
        if (at > 0) at += (size_t)snprintf(out + at, size - at, "; ");
        if (at < size) at += (size_t)describe_one(&message, out + at, size - at);
    }
    gt_arena_free(&arena);
}
