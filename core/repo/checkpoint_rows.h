/* What writing and reading the sections of a checkpoint share (CHECKPOINT.md). */
#ifndef GT_REPO_CHECKPOINT_ROWS_H
#define GT_REPO_CHECKPOINT_ROWS_H

#include "repo/tables.h"

enum {
    SECTION_META = 1,
    SECTION_COMMITS = 2,
    SECTION_PARENTS = 3,
    SECTION_ITEMS = 4,
    SECTION_BATCHES = 5,
    SECTION_SESSIONS = 6,
    SECTION_SCHEMAS = 7,
    SECTION_STATES = 8,
    SECTION_COMMIT_INDEX = 9,
    SECTION_ITEM_INDEX = 10,
    SECTION_BATCH_INDEX = 11,
    SECTION_FINGERPRINT = 12,
    SECTION_PARKED = 13,
    SECTION_KEYS = 14,
    SECTION_RECEIPTS = 15,
    SECTION_RECEIPT_INDEX = 16,
    SECTION_STRETCHES = 17,
    SECTIONS,
};

enum { TABLES_VERSION = 3, META_SIZE = 64 };

/* Where things are in the one row of section 1. */
enum {
    META_TIME = 0,
    META_FINGERPRINTED = 8,
    META_VERSION = 12,
    META_ORDER = 16,
    META_RECORDS = 20,
    META_ENTRIES = 24,
    META_LAST = 32
};
enum { ORDER_BEGUN = 1, ORDER_HAS_LAST = 2 };

#endif
