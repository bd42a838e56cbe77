/* One message that is written, and read back from memory of exactly its size. */
#ifndef MESSAGE_FIXTURE_H
#define MESSAGE_FIXTURE_H

#include "sync/message.h"

typedef struct message_fixture {
    gt_buf bytes;   /* being written */
    uint8_t *exact; /* the same, being read: an address sanitizer sees a read behind its end */
    gt_arena arena;
    gt_message message; /* read */
    gt_diag diag;
    uint8_t filled[256]; /* 0, 1, 2, … */
} message_fixture;

int message_setup(void **state);
int message_teardown(void **state);

/* Reads what lies in `bytes`. */
goat_status message_read_back(message_fixture *f);
/* It is read, and what was read is written as it was. */
void message_takes(message_fixture *f);
/* It is refused with this status, and words that have `words` in them. */
void message_refuses(message_fixture *f, goat_status status, const char *words);

/* Writes it into `bytes`; and the above. */
void message_say(message_fixture *f, const gt_message *message);
void message_takes_this(message_fixture *f, const gt_message *message);
void message_refuses_this(message_fixture *f, const gt_message *message, goat_status status, const char *words);
void message_refuses_hex(message_fixture *f, const char *hex, goat_status status, const char *words);

/* A client's, with everything that may be null null. */
gt_message message_hello(message_fixture *f);

#endif
