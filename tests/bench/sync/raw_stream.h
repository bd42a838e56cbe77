/* Between the two files of the raw clients: the stream of bytes, and what is said on it. */
#ifndef GOAT_BENCH_RAW_STREAM_H
#define GOAT_BENCH_RAW_STREAM_H

#include "raw.h"

typedef enum raw_opcode {
    RAW_OP_CONTINUE = 0,
    RAW_OP_BINARY = 2,
    RAW_OP_CLOSE = 8,
    RAW_OP_PING = 9,
    RAW_OP_PONG = 10
} raw_opcode;

/* ---- raw_stream.c ---- */

void raw_ask_upgrade(raw *client);
void raw_write_frame(raw *client, raw_opcode opcode, gt_bytes payload);
void raw_flush(raw *client);   /* the socket takes bytes again */
void raw_receive(raw *client); /* the socket has bytes */

/* ---- raw.c ---- */

void raw_upgraded(raw *client);
void raw_take_packet(raw *client, gt_bytes packet);

#endif
