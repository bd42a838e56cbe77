/* What is known of damage, and what of it was set aside (FORMAT.md 3.3).
 *
 * Damage is noted where somebody comes upon it: a walk, or the first touch of a record below a checkpoint. What was set
 * aside is a sorted list of stretches that do not touch each other, so whether a stretch is among them is one
 * look; it may be read behind the damage that it names, and before it is found again. */
#include "log/log_file.h"

#include "value/build.h"
#include "value/value.h"

#include <string.h>

enum { ASIDE_PAYLOAD_MAX = 1 + 9 + 9 };

/* How many of the stretches begin before `offset`. */
static size_t count_before(const gt_damage *list, size_t count, uint64_t offset) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool gt_log_is_aside(const gt_log *log, uint64_t offset, uint64_t length) {
    size_t before = count_before(log->aside, log->aside_count, offset + 1);
    const gt_damage *last = before == 0 ? NULL : log->aside + before - 1;
    return last != NULL && length <= last->length && offset - last->offset <= last->length - length;
}

/* ---- noting it ---- */

static void look_aside(const gt_log *log, gt_damage *damage) {
    damage->aside = damage->kind == GT_DAMAGE_MIDDLE && gt_log_is_aside(log, damage->offset, damage->length);
}

/* Takes out the holes behind `place` that lie in it: they were found one by one before. */
static void swallow(gt_log *log, size_t place) {
    uint64_t end = log->damage[place].offset + log->damage[place].length;
    size_t kept = place + 1;
    for (size_t i = place + 1; i < log->damage_count; i++) {
        const gt_damage *damage = &log->damage[i];
        if (damage->kind != GT_DAMAGE_MIDDLE || damage->offset + damage->length > end) {
            log->damage[kept++] = *damage;
        }
    }
    log->damage_count = kept;
}

goat_status gt_log_note(gt_log *log, gt_damage_kind kind, uint64_t offset, uint64_t length) {
    size_t place = count_before(log->damage, log->damage_count, offset), i = place;
    while (i < log->damage_count && log->damage[i].offset == offset && log->damage[i].kind != kind) {
        i++;
    }
    if (i < log->damage_count && log->damage[i].offset == offset) {
        place = i;
        if (length <= log->damage[place].length) {
            return GOAT_OK;
        }
        log->damage[place].length = length;
    } else {
        if (!gt_reserve(log->alloc, (void **)&log->damage, log->damage_count, &log->damage_capacity,
                        sizeof *log->damage)) {
            return GOAT_NO_MEMORY;
        }
        gt_damage *at = log->damage + place;
        memmove(at + 1, at, (log->damage_count - place) * sizeof *at);
        *at = (gt_damage){.kind = kind, .offset = offset, .length = length};
        log->damage_count++;
    }
    look_aside(log, &log->damage[place]);
    bool is_last = place + 1 == log->damage_count || log->damage[place + 1].offset >= offset + length;
    if (kind == GT_DAMAGE_MIDDLE && !is_last) {
        swallow(log, place);
    }
    return GOAT_OK;
}

goat_status gt_log_note_hole(gt_log *log, uint64_t offset, uint64_t length) {
    size_t i = count_before(log->damage, log->damage_count, offset + 1);
    while (i > 0 && log->damage[i - 1].kind != GT_DAMAGE_MIDDLE) {
        i--;
    }
    const gt_damage *before = i == 0 ? NULL : &log->damage[i - 1];
    bool known = before != NULL && offset + length <= before->offset + before->length;
    return known ? GOAT_OK : gt_log_note(log, GT_DAMAGE_MIDDLE, offset, length);
}

const gt_damage *gt_log_damage(const gt_log *log, size_t *count) {
    *count = log->damage_count;
    return log->damage;
}

bool gt_log_has_holes(const gt_log *log) {
    for (size_t i = 0; i < log->damage_count; i++) {
        if (log->damage[i].kind == GT_DAMAGE_MIDDLE) {
            return true;
        }
    }
    return false;
}

bool gt_log_has_asides(const gt_log *log) { return log->aside_count > 0; }

uint64_t gt_log_aside_end(const gt_log *log) { return log->aside_end; }

void gt_log_note_aside_end(gt_log *log, uint64_t end) {
    if (end > log->aside_end) {
        log->aside_end = end;
    }
}

bool gt_log_is_behind_hole(const gt_log *log, uint64_t offset) {
    size_t i = count_before(log->damage, log->damage_count, offset);
    while (i > 0 && log->damage[i - 1].kind != GT_DAMAGE_MIDDLE) {
        i--;
    }
    return i > 0 && offset - log->damage[i - 1].offset <= log->damage[i - 1].length;
}

/* ---- setting it aside ---- */

static bool reserve_aside(gt_log *log) {
    return gt_reserve(log->alloc, (void **)&log->aside, log->aside_count, &log->aside_capacity, sizeof *log->aside);
}

/* Adds a stretch to those set aside, and joins it with what it touches; there is room for it. */
static void add_aside(gt_log *log, uint64_t offset, uint64_t length) {
    size_t from = count_before(log->aside, log->aside_count, offset), to = from;
    uint64_t end = offset + length;
    if (from > 0 && log->aside[from - 1].offset + log->aside[from - 1].length >= offset) {
        from--;
        offset = log->aside[from].offset;
    }
    for (to = from; to < log->aside_count && log->aside[to].offset <= end; to++) {
        uint64_t its_end = log->aside[to].offset + log->aside[to].length;
        end = its_end > end ? its_end : end;
    }
    memmove(log->aside + from + 1, log->aside + to, (log->aside_count - to) * sizeof *log->aside);
    log->aside[from] = (gt_damage){GT_DAMAGE_MIDDLE, offset, end - offset, true};
    log->aside_count = log->aside_count - (to - from) + 1;
    size_t i = count_before(log->damage, log->damage_count, offset);
    for (; i < log->damage_count && log->damage[i].offset < end; i++) {
        look_aside(log, &log->damage[i]);
    }
}

/* A stretch can be set aside only by what stands behind it; whatever else such a record says is passed over. */
goat_status gt_log_read_aside(gt_log *log, uint64_t record, gt_bytes payload) {
    gt_bytes element[2];
    int64_t offset, length;
    if (gt_value_check(payload, 0, NULL) != GOAT_OK || gt_value_kind(payload) != GT_KIND_ARRAY ||
        gt_value_count(payload) != 2) {
        return GOAT_OK;
    }
    gt_iter iter = gt_array_iter(payload);
    gt_array_next(&iter, &element[0]);
    gt_array_next(&iter, &element[1]);
    if (!gt_value_as_int64(element[0], &offset) || !gt_value_as_int64(element[1], &length) ||
        offset < GT_LOG_HEADER_SIZE || length <= 0 || (uint64_t)offset > record ||
        (uint64_t)length > record - (uint64_t)offset) {
        return GOAT_OK;
    }
    gt_log_note_aside_end(log, record + GT_LOG_RECORD_OVERHEAD + payload.len);
    if (gt_log_is_aside(log, (uint64_t)offset, (uint64_t)length)) {
        return GOAT_OK;
    }
    if (!reserve_aside(log)) {
        return GOAT_NO_MEMORY;
    }
    add_aside(log, (uint64_t)offset, (uint64_t)length);
    return GOAT_OK;
}

goat_status gt_log_set_aside(gt_log *log, uint64_t offset, uint64_t length, gt_diag *diag) {
    gt_buf room;
    if (gt_log_is_aside(log, offset, length)) {
        return GOAT_OK;
    }
    if (!reserve_aside(log)) {
        return gt_no_memory(diag);
    }
    goat_status status = gt_log_reserve(log, ASIDE_PAYLOAD_MAX, &room, diag);
    if (status != GOAT_OK) {
        return status;
    }
    gt_write_array_head(&room, 2);
    gt_write_int(&room, (int64_t)offset);
    gt_write_int(&room, (int64_t)length);
    status = gt_log_commit_append(log, GT_RECORD_SET_ASIDE, &room, NULL, diag);
    if (status == GOAT_OK) {
        add_aside(log, offset, length);
        gt_log_note_aside_end(log, log->length);
    }
    return status;
}
