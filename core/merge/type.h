/* What a field type has to say to be merged. Only for the files of this module: one file a type, and
 * the table in types.c.
 *
 * `undefined` as an edit, and what is unset, are the same for all types and dealt with before a type is
 * asked, but in `replay`, which sees everything. README.md says what each type does and how one with
 * element identities fits in. */
#ifndef GT_MERGE_TYPE_H
#define GT_MERGE_TYPE_H

#include "base/arena.h"
#include "merge/ancestry.h"
#include "merge/merge.h"
#include "value/build.h"
#include "value/value.h"

/* One replay: what all fields of it share. */
typedef struct gt_replay {
    gt_arena arena; /* goes with the replay, or with one answer of a kept one */
    const gt_step *steps;
    uint32_t step_count;
    gt_ancestry ancestry;
    uint64_t work;
    gt_diag *diag;
} gt_replay;

/* What one step does to one field. */
typedef struct gt_field_edit {
    const gt_field *field;
    gt_bytes edit;
    uint32_t step; /* its place in gt_replay.steps: id, time, parents, is_void */
} gt_field_edit;

/* What a type may keep of a field from one answer to the next, while further steps come (kept.h). */
typedef struct gt_keep {
    gt_arena *arena; /* for what is kept */
    struct gt_sequence *sequence;
} gt_keep;

/* All that the steps do to one field, in their order; those of void steps are there too, because later
 * positions count what they inserted. */
typedef struct gt_field_history {
    const gt_field *field;
    gt_bytes base; /* data NULL: unset */
    const gt_field_edit *edits;
    uint32_t count;
    gt_keep *keep; /* NULL: nothing is kept */
} gt_field_history;

typedef struct gt_merge_type {
    /* Whether `edit`, which is not `undefined`, has the shape of an edit: GOAT_OK or GOAT_INVALID. The
     * values in it are looked at only with `fully`, which a replay does without: it trusts no shape and
     * copies values as they are. */
    goat_status (*check_edit)(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag);

    /* The next three are about values of one type; an object's are of as many as it has fields, so that it has functions
     * of its own, below. */

    /* Appends the edit from `base` (data NULL: unset) to `value`, which is another. */
    void (*diff)(gt_bytes base, gt_bytes value, gt_buf *edit);

    /* Appends the one edit that does what `first` and then `second` do to `base` (data NULL: unset), or
     * nothing. `first` may be `undefined`, `second` is not. */
    void (*compose)(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit);

    /* Appends `base` (data NULL: unset) after `edit`, which is not `undefined`. Always appends a value. */
    void (*apply)(gt_bytes base, gt_bytes edit, gt_buf *value);

    /* Appends what becomes of the field; nothing if it is unset. Every edit is `undefined` or has passed
     * check_edit. The order of concurrent steps makes no difference to it. GOAT_OK, GOAT_NO_MEMORY. */
    goat_status (*replay)(gt_replay *replay, const gt_field_history *history, gt_buf *value);
} gt_merge_type;

void gt_object_diff(const gt_field *object, gt_bytes base, gt_bytes value, gt_buf *edit);
goat_status gt_object_compose(const gt_field *object, gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit,
                              gt_diag *diag);
goat_status gt_object_apply(const gt_field *object, gt_bytes base, gt_bytes edit, gt_buf *value, gt_diag *diag);

extern const gt_merge_type gt_merge_single, gt_merge_set, gt_merge_map, gt_merge_counter, gt_merge_list, gt_merge_text,
    gt_merge_rich, gt_merge_object;

/* Never NULL for the field of a parsed schema. */
const gt_merge_type *gt_merge_type_of(const gt_field *field);

static inline bool gt_edit_is_unset(gt_bytes edit) { return edit.data[0] == 0xf7; }

/* ---- compose.c: texts, lists and rich texts, whose edits are whole values or maps of runs (runs.h) ---- */

typedef void gt_apply_edit(gt_bytes base, gt_bytes edit, gt_buf *value);
typedef void gt_compose_edits(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit);

/* Of an edit that is not `undefined`. */
bool gt_edit_is_whole(gt_bytes edit);

/* `compose` of such a type. `compose_runs` is the same of two edits of runs on a base that is there. */
void gt_runs_compose(gt_apply_edit *apply, gt_compose_edits *compose_runs, gt_bytes base, gt_bytes first,
                     gt_bytes second, gt_buf *edit);

/* GOAT_INVALID with the field and the rule "type"; `words` complete "the edit of "x" …". */
goat_status gt_edit_refuse(const gt_field *field, const char *words, gt_diag *diag);

/* The same of one run of an edit: its number is said, and is the position. */
goat_status gt_edit_refuse_run(const gt_field *field, const char *words, uint64_t at, gt_diag *diag);

/* `base`, or data NULL where it is of another type than the field: a state that was made under another
 * version of the schema may hold anything, and a type relies on what is in its own values. */
gt_bytes gt_edit_base(const gt_field *field, gt_bytes base);

/* Whether the values in a piece of an edit may stand in a state: no `undefined`, no integer keys, and no
 * deeper than values may be. */
bool gt_edit_is_plain(gt_bytes value);

/* The same for a value that is to stand in a list, which is one level more. */
bool gt_edit_is_element(gt_bytes value);

/* GOAT_WRONG_TYPE for a field of another type; `operation` completes ""x" is not a …". */
goat_status gt_edit_want_type(const gt_field *field, gt_type type, const char *operation, gt_diag *diag);

/* True when step `a` wins over step `b`: later by time, ties by id. An ancestor is always earlier. */
bool gt_step_is_later(const gt_replay *replay, uint32_t a, uint32_t b);

/* The same among steps that have not seen each other, by the strategy of a field: later or, with `either`, of greater id. */
bool gt_step_wins(const gt_replay *replay, const gt_field *field, uint32_t a, uint32_t b);

static inline bool gt_edit_is_void(const gt_replay *replay, const gt_field_edit *edit) {
    return replay->steps[edit->step].is_void;
}

/* The steps that some edit which unsets the field has seen. `*any`: there is one, so that nothing of the
 * base is left. Void steps do not count. False when there is no memory. */
bool gt_field_unset_past(gt_replay *replay, const gt_field_history *history, gt_past *past, bool *any);

/* Whether there is an edit other than an unset, the base counting as one, that no unset has seen. False when there is no
 * memory. */
bool gt_field_is_there(gt_replay *replay, const gt_field_history *history, bool *is_there);

/* ---- arrays, sets and maps whose count is known only when they are written ---- */

typedef struct gt_counted {
    gt_buf *out;
    size_t begin;  /* of the head */
    size_t places; /* the count that it was written for */
    bool is_map;
} gt_counted;

/* `most`: no more elements or pairs than these will follow. */
gt_counted gt_counted_begin(gt_buf *out, bool is_map, size_t most);
void gt_counted_end(gt_counted *counted, size_t count);

/* A field's history in one of several replays of the same steps, which differ in which of these are void. Every edit has
 * passed check_edit. */
typedef struct gt_outcome {
    gt_replay *replay;
    gt_field_history history;
} gt_outcome;

/* Appends the edit that leads from one outcome to another, through the identity of elements; nothing where they are the same.
 * The field is there in both. GOAT_OK, GOAT_NO_MEMORY. */
goat_status gt_text_change(const gt_outcome *from, const gt_outcome *to, gt_buf *edit);
goat_status gt_list_change(const gt_outcome *from, const gt_outcome *to, gt_buf *edit);
goat_status gt_rich_change(const gt_outcome *from, const gt_outcome *to, gt_bytes before, gt_bytes after,
                           gt_buf *edit); /* `before` and `after` are what it comes to */

/* Appends the edit of `seen` that does what leads from `now` to `then`, where what is undone and done again may stand in
 * `seen` as other elements than in `now`. As above. */
goat_status gt_text_carry(const gt_outcome *seen, const gt_outcome *now, const gt_outcome *then, gt_buf *edit);

/* ---- limits.c ---- */

/* Trims the value of a field that was appended from `begin` on, README.md, "What is too large". Whoever puts a value together
 * may stop once its contents are longer than GT_FIELD_SIZE_MAX. */
void gt_trim_field(const gt_field *field, gt_buf *out, size_t begin);
/* The same of a map, at so many bytes. */
void gt_trim_map(gt_buf *out, size_t begin, size_t max);

/* The operations that only one type has. */
void gt_set_write_remove(gt_bytes base, gt_bytes element, gt_buf *edit);
goat_status gt_rich_write_delta(gt_bytes base, gt_bytes delta, gt_buf *edit, gt_diag *diag);

/* Appends what two edits of runs do to so many elements, the second to what the first left; nothing if they do nothing. */
void gt_rich_compose_runs(gt_bytes first, gt_bytes second, uint64_t base_count, gt_buf *edit);

/* GOAT_TOO_LARGE, where gt_rich_edit_fits() says that two together are not an edit. */
goat_status gt_rich_refuse_attributes(const gt_field *field, gt_diag *diag);

/* Goes `units` further from the beginning of `text`: so many bytes and code points. False when that is outside of it or
 * inside of a code point; `*units` is then what is left, and the others are as far as it goes. */
bool gt_text_go(gt_bytes text, goat_unit unit, uint64_t *units, size_t *bytes, uint64_t *points);

/* GOAT_INVALID, because there is no such place, or (`count`) nothing of that length behind it. */
goat_status gt_splice_refuse(const gt_splice *splice, bool count, gt_diag *diag);
goat_status gt_text_write_splice(gt_bytes base, const gt_splice *splice, gt_buf *edit, gt_diag *diag);

/* Elements of the base of a text, a rich text or a list. */
uint64_t gt_history_base_count(const gt_field_history *history);

#endif
