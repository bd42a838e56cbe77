/* A stamp is a path in a tree: numbers that lead down, and at the end 13 digits of randomness, its tail, so that what
 * stands under one path at the same time differs. Numbers are written so that their bytes sort as they do, and begin with
 * a letter, where tails begin with a digit: under a path first come the stamps that end there, then what is deeper.
 *
 * What must always hold: no part is a beginning of another one, so that bytes and parts compare the same; a path never
 * ends in the least number, so that there is always room before it. */
#include "value/orderstamp.h"

#include "value/build.h"

enum {
    BASE = 36,
    TAIL = 13,   /* digits of base 36 that 64 bits take */
    SMALL = 9,   /* numbers from -9 to 8 are one letter, 'e' to 'v' */
    LONGEST = 9, /* bytes of a number */
    CHUNK = 64,  /* stamps whose randomness is asked for at once */
};

/* Other numbers: 'w' to 'z' and 1, 2, 4 or 8 digits; below -9 'd' down to 'a'. */
static const int64_t powers[] = {36, 1296, 1679616, INT64_C(2821109907456)};
static const size_t digits_of[] = {1, 2, 4, 8};
enum { CLASSES = 4 };

#define NUMBER_MAX INT64_C(2821111588412)
#define NUMBER_MIN (-NUMBER_MAX - 1)

static int digit_of(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    return byte >= 'a' && byte <= 'z' ? byte - 'a' + 10 : -1;
}

static void write_digits(uint8_t *out, size_t count, uint64_t value) {
    for (size_t i = count; i > 0; i--) {
        uint8_t digit = (uint8_t)(value % BASE);
        out[i - 1] = (uint8_t)(digit < 10 ? '0' + digit : 'a' + (digit - 10));
        value /= BASE;
    }
}

/* Returns the bytes that it took. */
static size_t write_number(uint8_t *out, int64_t number) {
    int64_t size = number >= 0 ? number : -number - 1;
    if (size < SMALL) {
        out[0] = (uint8_t)('n' + number);
        return 1;
    }
    size -= SMALL;
    size_t class = 0;
    while (size >= powers[class]) size -= powers[class ++];
    out[0] = (uint8_t)(number >= 0 ? 'w' + (int)class : 'd' - (int)class);
    write_digits(out + 1, digits_of[class], (uint64_t)(number >= 0 ? size : powers[class] - 1 - size));
    return 1 + digits_of[class];
}

/* ---- reading ---- */

typedef struct stamp_part {
    size_t end;
    bool is_tail;
    int64_t number;
} stamp_part;

/* The part that begins at `at`, before the end. False when the stamp ends within it. */
static bool read_part(gt_bytes stamp, size_t at, stamp_part *part) {
    uint8_t lead = stamp.data[at];
    part->is_tail = lead <= '9';
    part->number = 0;
    if (part->is_tail) {
        part->end = at + TAIL;
        return stamp.len - at >= TAIL;
    }
    if (lead >= 'e' && lead <= 'v') {
        part->number = lead - 'n';
        part->end = at + 1;
        return true;
    }
    bool negative = lead < 'e';
    size_t class = (size_t)(negative ? 'd' - lead : lead - 'w'), len = digits_of[class];
    if (stamp.len - at <= len) return false;
    int64_t value = 0, below = SMALL;
    for (size_t i = 1; i <= len; i++) value = value * BASE + digit_of(stamp.data[at + i]);
    for (size_t i = 0; i < class; i++) below += powers[i];
    part->number = negative ? -below - (powers[class] - 1 - value) - 1 : below + value;
    part->end = at + 1 + len;
    return true;
}

static const char *check_parts(gt_bytes stamp, size_t *at) {
    stamp_part part = {.is_tail = true}, last;
    for (*at = 0; *at < stamp.len; *at = part.end) {
        last = part;
        if (!read_part(stamp, *at, &part)) {
            return "ends too early";
        }
        if (part.is_tail && (last.is_tail || last.number == NUMBER_MIN)) {
            return "has digits where a letter is to stand";
        }
    }
    return part.is_tail ? NULL : "ends too early";
}

const char *gt_orderstamp_fault(gt_bytes stamp, size_t *position) {
    size_t ignored;
    size_t *at = position != NULL ? position : &ignored;
    *at = GT_ORDERSTAMP_MAX;
    if (stamp.len > GT_ORDERSTAMP_MAX) return "is longer than 255 bytes";
    *at = 0;
    if (stamp.len == 0) return "is empty";
    for (; *at < stamp.len; ++*at) {
        if (digit_of(stamp.data[*at]) < 0) return "has another character than 0-9 and a-z";
    }
    return check_parts(stamp, at);
}

/* ---- finding the gap ---- */

/* Where new stamps go: under the path `head`, their numbers between two others where there are such. */
typedef struct stamp_gap {
    uint8_t head[GT_ORDERSTAMP_MAX + LONGEST + TAIL + LONGEST];
    size_t head_len;
    size_t depth; /* parts of the head */
    bool has_low, has_high;
    int64_t low, high;
} stamp_gap;

static void set_head(stamp_gap *gap, gt_bytes stamp, size_t len) {
    if (len > 0) memcpy(gap->head, stamp.data, len);
    gap->head_len = len;
}

/* Below everything that `stamp` is below of from `at` on, after it: the first of its numbers with room behind. */
static void go_after(stamp_gap *gap, gt_bytes stamp, size_t at, uint32_t count) {
    stamp_part part;
    while (at < stamp.len && read_part(stamp, at, &part) && !part.is_tail) {
        if (NUMBER_MAX - part.number >= count) {
            gap->has_low = true;
            gap->low = part.number;
            break;
        }
        at = part.end;
        gap->depth++;
    }
    set_head(gap, stamp, at);
}

/* The same before it. At `at` stands a number, and behind the least one another. */
static void go_before(stamp_gap *gap, gt_bytes stamp, size_t at, uint32_t count) {
    stamp_part part;
    while (read_part(stamp, at, &part) && part.number == NUMBER_MIN) {
        at = part.end;
        gap->depth++;
    }
    set_head(gap, stamp, at);
    if (part.number - NUMBER_MIN > count) {
        gap->has_high = true;
        gap->high = part.number;
    } else { /* under the least number is room for all */
        gap->head_len += write_number(gap->head + at, NUMBER_MIN);
        gap->depth++;
    }
}

static void find_gap(stamp_gap *gap, gt_bytes before, gt_bytes after, uint32_t count) {
    size_t at = 0;
    stamp_part a = {0}, b = {0};
    *gap = (stamp_gap){.depth = 0};
    while (at < before.len && at < after.len) { /* what both begin with */
        read_part(before, at, &a);
        read_part(after, at, &b);
        if (a.end != b.end || memcmp(before.data + at, after.data + at, a.end - at) != 0) break;
        at = a.end;
        gap->depth++;
    }
    if (after.len == 0) {
        go_after(gap, before, at, count);
    } else if (at == before.len || (a.is_tail && !b.is_tail)) {
        go_before(gap, after, at, count);
    } else if (!a.is_tail && b.number - a.number > count) {
        set_head(gap, before, at);
        gap->has_low = gap->has_high = true;
        gap->low = a.number;
        gap->high = b.number;
    } else { /* two tails, or numbers with too little between them */
        gap->depth++;
        go_after(gap, before, a.end, count);
    }
}

/* ---- choosing numbers ---- */

/* How far from 0 the second number of a level stands. Far down, where a place in the middle has been divided again and
 * again, both neighbours were inserted one after the other, and what comes goes between them: there one counts up from 0
 * and the other down from here. Near the root, where most stamps are, numbers stay close, and short. */
static int64_t spread_at(size_t depth) {
    static const int64_t spreads[] = {0, 0, 0,  0,    0,    0,
                                      8, 8, 44, 1340, 1340, 1680956}; /* the last of 1, 2, 3, 5 bytes */
    enum { COUNT = sizeof spreads / sizeof spreads[0] };
    return spreads[depth < COUNT ? depth : COUNT - 1];
}

/* One number between two: next to the older one, which is the one that has come less far. */
static int64_t choose_between(int64_t low, int64_t high, int64_t spread) {
    if (low >= 0 && high <= spread) return low <= spread - high ? low + 1 : high - 1;
    if (low >= -spread && high <= 0) return -high <= low + spread ? high - 1 : low + 1;
    return low + (high - low) / 2;
}

static int64_t choose(const stamp_gap *gap, uint32_t index, uint32_t count) {
    int64_t i = index, n = count, spread = count == 1 ? spread_at(gap->depth) : 0;
    if (gap->has_low && gap->has_high) {
        if (count == 1) return choose_between(gap->low, gap->high, spread);
        return gap->low + (gap->high - gap->low) * (i + 1) / (n + 1); /* at most 2^43 * 2^16 */
    }
    if (gap->has_low) return gap->low >= 0 && gap->low < spread ? spread : gap->low + 1 + i;
    if (gap->has_high) return gap->high <= 0 && gap->high > -spread ? -spread : gap->high - n + i;
    return i - n / 2;
}

/* ---- making stamps ---- */

static goat_status refuse(const char *which, gt_bytes stamp, gt_diag *diag) {
    size_t position = 0;
    const char *fault = gt_orderstamp_fault(stamp, &position);
    if (fault == NULL) return GOAT_OK;
    return gt_fail_at(diag, GOAT_INVALID, position, "the stamp %s is none: it %s", which, fault);
}

static goat_status check_place(gt_bytes before, gt_bytes after, uint32_t count, gt_diag *diag) {
    goat_status status = before.len == 0 ? GOAT_OK : refuse("before", before, diag);
    if (status == GOAT_OK && after.len > 0) status = refuse("after", after, diag);
    if (status == GOAT_OK && before.len > 0 && after.len > 0 && gt_bytes_compare(before, after) >= 0) {
        status = gt_fail(diag, GOAT_INVALID, "the stamp before does not sort before the stamp after");
    }
    if (status == GOAT_OK && count > GT_ORDERSTAMP_COUNT_MAX) {
        status = gt_fail(diag, GOAT_TOO_LARGE, "at most %d stamps are made at once", (int)GT_ORDERSTAMP_COUNT_MAX);
    }
    return status;
}

/* Writes one stamp: the head is there already. */
static goat_status write_stamp(stamp_gap *gap, int64_t number, const uint8_t random[8], gt_buf *out, gt_diag *diag) {
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++) bits = bits << 8 | random[i];
    size_t len = gap->head_len + write_number(gap->head + gap->head_len, number);
    if (len + TAIL > GT_ORDERSTAMP_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE,
                       "between these two there is no stamp of at most %d bytes: give the list new ones",
                       (int)GT_ORDERSTAMP_MAX);
    }
    write_digits(gap->head + len, TAIL, bits);
    gt_write_text(out, gt_bytes_of(gap->head, len + TAIL));
    return GOAT_OK;
}

goat_status gt_orderstamp_between(gt_bytes before, gt_bytes after, uint32_t count, const goat_random *random,
                                  gt_buf *out, gt_diag *diag) {
    uint8_t bytes[CHUNK][8];
    stamp_gap gap;
    size_t begin = out->len;
    goat_status status = check_place(before, after, count, diag);
    if (status != GOAT_OK) return status;
    find_gap(&gap, before, after, count);
    gt_write_array_head(out, count);
    for (uint32_t i = 0; status == GOAT_OK && i < count; i++) {
        size_t chunk = count - i < CHUNK ? count - i : CHUNK;
        if (i % CHUNK == 0 && !random->fill(random->context, bytes[0], chunk * 8)) {
            status = gt_fail(diag, GOAT_IO, "the machine gives no randomness");
        } else {
            status = write_stamp(&gap, choose(&gap, i, count), bytes[i % CHUNK], out, diag);
        }
    }
    if (status == GOAT_OK && gt_buf_failed(out)) status = gt_no_memory(diag);
    if (status != GOAT_OK) out->len = begin;
    return status;
}
