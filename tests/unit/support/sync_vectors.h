/* The golden vectors of core/sync/PROTOCOL.md: messages of every kind, and whole exchanges of two peers with fixed keys,
 * clocks and randomness. Kept in tests/vectors/sync/; one that changes is a changed protocol. */
#ifndef SYNC_VECTORS_H
#define SYNC_VECTORS_H

#include <jansson.h>
#include <stddef.h>

typedef struct sync_vector_file {
    const char *name; /* in tests/vectors/sync/ */
    json_t *(*make)(void);
} sync_vector_file;

extern const sync_vector_file sync_vector_files[];
extern const size_t sync_vector_file_count;

json_t *make_message_vectors(void);
json_t *make_invalid_messages(void);
json_t *make_filters(void);
json_t *make_transcripts(void);

#endif
